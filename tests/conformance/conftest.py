"""Leaves this folder out of a run that does not ask for it by name.

What is tested here needs programs from outside, browsers among them, and takes its time;
`pytest tests/conformance` runs it, `nox -s conformance` with everything it needs.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore everything here, unless an argument of pytest's command line is in this folder."""
    named = (Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args)
    return None if any(path.resolve().is_relative_to(HERE) for path in named) else True
