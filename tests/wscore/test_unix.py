"""Unix sockets: what is replaced, what is not, and that a failure leaves nothing open."""

from pathlib import Path

import pytest

from tests.support.leaks import open_sockets
from tests.wscore.pairs import Setting
from tests.wscore.recorder import Recorder
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
from wscore.unix import bound_socket, connected_socket


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
    """Both sides take the path as an argument; the URL only says what is asked for."""
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
    with pytest.raises(ValueError, match="unix_path goes with neither"):
        await ws_create_server(lambda _: Recorder(), unix_path=path, **other)
    assert not path.exists()


async def test_a_server_that_cannot_start_leaves_no_socket(tmp_path: Path) -> None:
    before = open_sockets()
    with pytest.raises(TypeError, match="reuse_port"):
        await ws_create_server(lambda _: Recorder(), unix_path=tmp_path / "a", reuse_port=True)
    assert open_sockets() == before
