"""Servers on Unix sockets: where they listen, the removal of the path, and refusals."""

import importlib
import os
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.skips import lacking
from wscompat.unix import unix_arguments

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(params=["asyncio", "legacy"])
def api(request: pytest.FixtureRequest) -> str:
    """Run the test with each API."""
    return str(request.param)


def unix_serve(library: str, api: str, *arguments: Any, **options: Any) -> Any:
    module = importlib.import_module(f"{library}.{api}.server")
    return module.unix_serve(echo, *arguments, **options)


async def talk(api: str, path: Any) -> None:
    module = importlib.import_module(f"wscompat.{api}.client")
    async with module.unix_connect(path) as websocket:
        await websocket.send("hello")
        assert await websocket.recv() == "hello"


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


def as_bytes(path: Path) -> bytes:
    return os.fsencode(path)


@pytest.mark.parametrize("kind", [str, as_bytes, Path])
async def test_the_path_is_removed(api: str, tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    """On every version of Python."""
    path = tmp_path / "socket"
    async with unix_serve("wscompat", api, kind(path)):
        assert path.is_socket()
        await talk(api, kind(path))
    assert not path.exists()


@pytest.mark.parametrize("cleanup_socket", [True, False])
async def test_cleanup_socket(api: str, tmp_path: Path, cleanup_socket: bool) -> None:
    for given in (False, True):
        path = tmp_path / f"socket{given}"
        how: dict[str, Any] = {"path": path}
        if given:
            how = {"sock": socket.socket(socket.AF_UNIX)}
            how["sock"].bind(str(path))
        async with unix_serve("wscompat", api, **how, cleanup_socket=cleanup_socket):
            await talk(api, path)
        assert path.exists() != cleanup_socket


@pytest.mark.skipif(sys.version_info < (3, 13), reason=lacking("cleanup_socket before 3.13"))
@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("options", [{}, {"cleanup_socket": True}, {"cleanup_socket": False}])
async def test_as_the_model_does(api: str, tmp_path: Path, options: dict[str, Any]) -> None:
    left = []
    for library in ("websockets", "wscompat"):
        path = tmp_path / library
        async with unix_serve(library, api, path, **options):
            pass
        left.append(path.exists())
    assert left[0] == left[1]


@pytest.mark.skipif(sys.platform != "linux", reason=lacking("abstract sockets, which Linux has"))
@pytest.mark.parametrize("kind", [str, os.fsencode])
async def test_abstract_sockets(api: str, kind: Callable[[str], Any]) -> None:
    path = kind(f"\0{secrets.token_hex()}")
    async with unix_serve("wscompat", api, path):
        await talk(api, path)


@pytest.mark.parametrize("library", ["websockets", "wscompat"])
async def test_neither_path_nor_socket_or_both(library: str, api: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock, socket.socket() as tcp:
        for arguments in ({}, {"path": tmp_path / "socket", "sock": sock}, {"sock": tcp}):
            with pytest.raises(ValueError):
                async with unix_serve(library, api, **arguments):
                    pass
    assert not (tmp_path / "socket").exists()


def test_other_arguments_stay() -> None:
    assert unix_arguments(path="path", ssl=None) == {
        "unix_path": "path",
        "cleanup_socket": True,
        "ssl": None,
    }
