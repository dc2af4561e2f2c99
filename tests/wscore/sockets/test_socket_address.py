"""What a transport tells of its addresses is what Python's sockets tell."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.wscore.recorder import Recorder
from wscore import ws_connect, ws_create_server


@pytest.mark.parametrize("family", ["v4", "v6", "unix", "bound", "abstract"])
async def test_addresses(family: str, tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    listener, other = Recorder(), Recorder()
    if family in ("v4", "v6"):
        host = "127.0.0.1" if family == "v4" else "::1"
        server = await ws_create_server(lambda _: listener, host, 0)
        sock = socket.create_connection(server.sockets[0].getsockname()[:2])
    else:
        server = await ws_create_server(lambda _: listener, unix_path=path)
        sock = socket.socket(socket.AF_UNIX)
        if family == "bound":
            sock.bind(str(tmp_path / "cl\u00efent"))
        if family == "abstract":
            sock.bind(b"\0wscore's test \xff")
        sock.connect(path)
    names = sock.getsockname(), sock.getpeername()
    async with server, contextlib.AsyncExitStack() as stack:
        transport, _ = await ws_connect(lambda: other, "ws://localhost/", sock=sock)
        stack.callback(transport.disconnect, False)
        below = transport.underlying_transport
        assert (below.get_extra_info("sockname"), below.get_extra_info("peername")) == names
        assert listener.transport is not None
        below = listener.transport.underlying_transport
        assert (below.get_extra_info("peername"), below.get_extra_info("sockname")) == names


async def test_addresses_outlive_the_connection() -> None:
    listener, other = Recorder(), Recorder()
    server = await ws_create_server(lambda _: listener, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport, _ = await ws_connect(lambda: other, f"ws://127.0.0.1:{port}/")
        peer = transport.underlying_transport.get_extra_info("sockname")
        transport.disconnect()
        await listener.until("disconnected")
        assert listener.transport is not None
        below = listener.transport.underlying_transport
        assert below.get_extra_info("peername") == peer
        assert below.get_extra_info("sockname") == ("127.0.0.1", port)
