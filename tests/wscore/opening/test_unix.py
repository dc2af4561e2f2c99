"""Unix sockets: which files are replaced, and that a failure leaves nothing open."""

import asyncio
import errno
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.leaks import open_sockets
from tests.support.skips import lacking
from tests.wscore.pairs import Setting
from tests.wscore.programs import run
from tests.wscore.recorder import Recorder
from tests.wscore.servers import serving, talk
from wscore import (
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
    ws_create_server,
)
from wscore.opening.unix import bound_socket, connected_socket


async def test_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound_socket(path) as listener:
        listener.listen()
        with await connected_socket(str(path)) as client:
            accepted, _ = listener.accept()
            with accepted:
                client.send(b"x")
                assert accepted.recv(1) == b"x"


async def test_a_socket_that_was_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    bound_socket(path).close()
    assert path.is_socket()
    with bound_socket(path) as listener:
        listener.listen()
        (await connected_socket(path)).close()


async def test_another_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("keep me")
    with pytest.raises(OSError):
        bound_socket(path)
    assert path.read_text() == "keep me"


async def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await connected_socket(tmp_path / "nothing")


async def test_a_connection(tmp_path: Path, both: Setting) -> None:
    """Both sides take the path as an argument; the URL only determines the request."""
    path = tmp_path / "socket"
    asked: list[WSUpgradeRequest] = []
    at_server = Recorder(lambda transport, _: transport.send(WSMsgType.TEXT, "hello"))

    def factory(request: WSUpgradeRequest) -> WSListener:
        asked.append(request)
        return at_server

    server = await ws_create_server(factory, unix_path=path, **both.server_options)
    url = both.url(80, "/chat")
    transport, at_client = await ws_connect(Recorder, url, unix_path=path, **both.client_options)
    assert isinstance(at_client, Recorder)
    transport.send(WSMsgType.TEXT, "hello?")
    await at_client.until("frame")
    assert at_client.seen == [(WSMsgType.TEXT, b"hello")]
    assert asked[0].path == b"/chat"
    transport.disconnect()
    await at_server.until("disconnected")
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("target", ["ws://elsewhere/", "ws://127.0.0.1:81/"])
async def test_no_redirect_leads_elsewhere(tmp_path: Path, target: str) -> None:
    path = tmp_path / "socket"
    away = WSUpgradeResponse.create_redirect_response(307, target)
    server = await ws_create_server(
        lambda _: WSUpgradeResponseWithListener(away, None), unix_path=path
    )
    with pytest.raises(WSInvalidStatusError, match="307"):
        await ws_connect(Recorder, "ws://127.0.0.1/", unix_path=path)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("other", [{"host": "127.0.0.1"}, {"port": 0}, {"sock": 1}])
async def test_no_server_is_in_two_places(tmp_path: Path, other: dict[str, object]) -> None:
    path = tmp_path / "socket"
    with pytest.raises(ValueError, match="unix_path cannot be combined with"):
        await ws_create_server(lambda _: Recorder(), unix_path=path, **other)
    assert not path.exists()


async def test_a_server_that_cannot_start_leaves_no_socket(tmp_path: Path) -> None:
    before = open_sockets()
    with pytest.raises(TypeError, match="reuse_port"):
        await ws_create_server(lambda _: Recorder(), unix_path=tmp_path / "a", reuse_port=True)
    assert open_sockets() == before


# Files after a server is closed


def as_bytes(path: Path) -> bytes:
    return os.fsencode(path)


@pytest.mark.parametrize("kind", [str, as_bytes, Path])
@pytest.mark.parametrize("cleanup_socket", [None, True, False])
async def test_the_path_is_removed(
    tmp_path: Path, kind: Callable[[Path], Any], cleanup_socket: bool | None
) -> None:
    path = tmp_path / "socket"
    async with serving(unix_path=kind(path), cleanup_socket=cleanup_socket) as server:
        assert path.is_socket()
        assert server.sockets[0].getsockname() == str(path)
        await talk("ws://h/", unix_path=kind(path))
    assert path.exists() == (cleanup_socket is False)


@pytest.mark.skipif(sys.platform != "linux", reason=lacking("abstract sockets, which Linux has"))
@pytest.mark.parametrize("kind", [str, os.fsencode])
async def test_abstract_sockets(kind: Callable[[str], Any]) -> None:
    path = kind(f"\0{secrets.token_hex()}")
    async with serving(unix_path=path) as server:
        assert server.sockets[0].getsockname() == os.fsencode(path)
        await talk("ws://h/", unix_path=path)
        with pytest.raises(OSError, match="cannot bind"):
            await ws_create_server(lambda _: Recorder(), unix_path=path)


@pytest.mark.parametrize("path", ["", b""], ids=["text", "bytes"])
async def test_an_empty_path(path: str | bytes) -> None:
    """Linux would choose an abstract address, unknown to clients."""
    with pytest.raises(ValueError, match="empty"):
        await ws_create_server(lambda _: Recorder(), unix_path=path)


@pytest.mark.parametrize("cleanup_socket", [None, True, False])
async def test_a_socket_that_is_given(tmp_path: Path, cleanup_socket: bool | None) -> None:
    path = tmp_path / "socket"
    async with serving(sock=bound_socket(path), cleanup_socket=cleanup_socket):
        await talk("ws://h/", unix_path=path)
    assert path.exists() == (cleanup_socket is not True)


async def test_a_server_that_took_the_path_over(tmp_path: Path) -> None:
    """The new server's file stays, even if the system reuses the inode number."""
    path = tmp_path / "socket"
    async with serving(unix_path=path):
        async with serving(unix_path=path) as first:
            async with serving(unix_path=path):
                first.close()
                assert path.is_socket()
                await talk("ws://h/", unix_path=path)
            assert not path.exists()
        path.write_text("another's")
    assert path.read_text() == "another's"


async def test_a_path_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with serving(unix_path=folder / "socket"):
        (folder / "socket").unlink()
        folder.rmdir()
        folder.write_text("a file")
    assert folder.read_text() == "a file"


async def test_another_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with serving(unix_path="socket"):
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
    assert not (tmp_path / "socket").exists()


async def test_a_path_that_cannot_be_removed(
    tmp_path: Path, no_leaks: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and the server is closed nevertheless."""

    def unlink(self: Path) -> None:
        raise PermissionError(errno.EACCES, "no")

    async with serving(unix_path=tmp_path / "socket") as server:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", unlink)
            server.close()
    assert [type(context["exception"]) for context in no_leaks] == [PermissionError]
    no_leaks.clear()


async def test_a_server_that_cannot_start_leaves_no_path(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with pytest.raises(OverflowError):
        await ws_create_server(lambda _: Recorder(), unix_path=path, backlog=2**40)
    assert not path.exists()


async def test_cleaning_up_after_tcp() -> None:
    with pytest.raises(ValueError, match="cleanup_socket requires a unix socket"):
        await ws_create_server(lambda _: Recorder(), "127.0.0.1", 0, cleanup_socket=True)


FORKED = """
import asyncio, os, sys
from wscore import WSListener, ws_create_server

async def main(path):
    server = await ws_create_server(lambda _: WSListener(), unix_path=path)
    child = os.fork()
    if not child:
        server.close()  # as what runs at the end of a child may do
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(os.path.exists(path))
    server.close()
    print(os.path.exists(path))

asyncio.run(main(sys.argv[1]))
"""


def test_a_child_leaves_the_path_to_its_parent(tmp_path: Path) -> None:
    assert asyncio.run(run("-c", FORKED, tmp_path / "socket")) == ["True", "False"]
