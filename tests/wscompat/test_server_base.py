"""The methods that the servers of both APIs share."""

import asyncio
from typing import Any

import pytest

from tests.wscompat.legacy.models import OURS
from wscompat.asyncio import server as asyncio_server
from wscompat.server_base import ServerBase, listening_arguments

SERVERS = pytest.mark.parametrize("api", [asyncio_server, OURS.server])


async def nothing(connection: Any) -> None:
    pass


@SERVERS
async def test_closing(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "websockets.server")
    server = await api.serve(nothing, "127.0.0.1", 0)
    assert isinstance(server, ServerBase)
    assert server.is_serving()
    assert server.get_loop() is asyncio.get_running_loop()
    port = server.sockets[0].getsockname()[1]
    server.close()
    server.close()
    await server.wait_closed()
    assert not server.is_serving()
    assert server.sockets == ()
    assert [record.getMessage() for record in caplog.records] == [
        f"server listening on 127.0.0.1:{port}",
        "server closing",
        "server closed",
    ]


@SERVERS
async def test_cancelling_serve_forever(api: Any) -> None:
    server = await api.serve(nothing, "127.0.0.1", 0, start_serving=False)
    task = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.closed_waiter.done()


async def test_arguments() -> None:
    assert listening_arguments(False, "h", 1, {"backlog": 3}) == {
        "host": "h",
        "port": 1,
        "backlog": 3,
    }
    assert listening_arguments(True, None, None, {"path": "p"}) == {
        "unix_path": "p",
        "cleanup_socket": True,
    }
    with pytest.raises(TypeError, match="unexpected keyword argument 'cleanup_socket'"):
        listening_arguments(False, "h", 1, {"cleanup_socket": True})
