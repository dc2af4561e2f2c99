"""``python -m wscompat``: the command ``wscompat``, which is in `wscompat.cli`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
