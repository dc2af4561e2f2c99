"""`python -m tests.fuzz_live INPUTS`: see `nox -s fuzz_live`."""

import argparse
import asyncio
import random
import sys

from tests.fuzz_live.run import Fuzzing


def main() -> int:
    """Fuzz servers, then clients."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz_live --", description=__doc__)
    parser.add_argument("inputs", type=int, nargs="?", default=10_000, help="10000 if not given")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", type=int, help="the number of one input, to look at")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    arguments = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    fuzzing = Fuzzing(seed, arguments.loop)
    first, count = (arguments.only, 1) if arguments.only is not None else (0, arguments.inputs)
    return 0 if asyncio.run(fuzzing.run(first, count)) else 1


if __name__ == "__main__":
    sys.exit(main())
