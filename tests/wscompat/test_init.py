"""The top level: every name is there, is imported when it is used, and is one of websockets."""

import subprocess
import sys

import pytest
import websockets

import wscompat


@pytest.mark.parametrize("name", wscompat.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(wscompat, name) is not None
    assert name in dir(wscompat)
    if name not in {"__version__", "install", "uninstall"}:
        assert name in websockets.__all__


def test_star_import() -> None:
    names: dict[str, object] = {}
    exec("from wscompat import *", names)
    assert set(wscompat.__all__) <= set(names)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        wscompat.nothing  # noqa: B018


def test_nothing_is_imported_before_it_is_used() -> None:
    program = (
        "import sys, wscompat\n"
        "assert not [name for name in sys.modules if name.startswith(('asyncio', 'wscore'))]\n"
        "wscompat.connect\n"
        "assert 'wscore' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
