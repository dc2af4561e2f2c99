"""wscore compared with picows, which documents the same API: same input, same callbacks.

Only documented behaviour is compared; where picows violates RFC 6455 they differ on purpose.
"""

import asyncio
from types import ModuleType
from typing import Any

import picows
import pytest

import wscore
from tests.wscore.raw_peer import BOUND, connecting
from tests.wscore.wire import BINARY, CONTINUATION, PING, PONG, TEXT, F, close, request, status_of


async def conversation(api: ModuleType, *frames: F, **options: Any) -> dict[str, Any]:
    """Return the callbacks of a server for frames received in one read, and its replies."""
    told: list[object] = []
    gone = asyncio.Event()

    class Listener(api.WSListener):  # type: ignore[misc, name-defined]
        def on_ws_connected(self, transport: Any) -> None:
            told.append("connected")

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            kind = int(frame.msg_type)
            told.append(
                (kind, bool(frame.fin), bool(frame.rsv1), bool(frame.last_in_buffer),
                 frame.tail_size, frame.get_payload_as_bytes(),
                 bytes(frame.get_payload_as_memoryview()))
            )  # fmt: skip
            if kind == api.WSMsgType.CLOSE:
                told.append((int(frame.get_close_code()), frame.get_close_message()))
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()
            elif kind == api.WSMsgType.PING:
                transport.send_pong(frame.get_payload_as_bytes())
            elif kind == api.WSMsgType.TEXT and frame.fin:
                told.append(frame.get_payload_as_utf8_text())
                transport.send(api.WSMsgType.BINARY, frame.get_payload_as_memoryview())

        def on_ws_disconnected(self, transport: Any) -> None:
            told.append("disconnected")
            gone.set()

    server = await api.ws_create_server(lambda _: Listener(), "127.0.0.1", 0, **options)
    async with connecting(server.sockets[0].getsockname()[1]) as peer:
        await peer.send(request())
        assert status_of(await peer.read_head()) == 101
        await peer.send(*frames)
        answer = await peer.read_to_end()
    async with asyncio.timeout(BOUND):
        await gone.wait()
    server.close()
    await server.wait_closed()
    return {"told": told, "answer": answer}


CONVERSATIONS: dict[str, tuple[tuple[F, ...], dict[str, Any]]] = {
    "text": ((F(TEXT, b"hello"), close(1000)), {}),
    "not ASCII": ((F(TEXT, "ä€😀".encode()), close(1000, "bye")), {}),
    "sizes": ((*(F(BINARY, bytes(n)) for n in (0, 125, 126, 1000)), close(1001)), {}),
    "fragments": (
        (F(TEXT, b"a", fin=False), F(CONTINUATION, b"b", fin=False), F(CONTINUATION), close(1000)),
        {},
    ),
    "auto pong": ((F(PING, b"x"), F(TEXT, b"y"), F(PING), close(1000)), {}),
    "pong by hand": ((F(PING, b"x"), close(1000)), {"enable_auto_pong": False}),
    "unasked pong": ((F(PONG, b"x"), close(1000)), {}),
    "own close code": ((close(4000, "own"),), {}),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_same(name: str) -> None:
    frames, options = CONVERSATIONS[name]
    theirs = await conversation(picows, *frames, **options)
    ours = await conversation(wscore, *frames, **options)
    assert ours == theirs


def test_names() -> None:
    """A program that changes its import finds the same names."""
    assert {name for name in picows.__all__ if not hasattr(wscore, name)} == set()


@pytest.mark.parametrize("name", ["WSListener", "WSFrame", "WSTransport"])
def test_methods(name: str) -> None:
    def public(owner: type) -> set[str]:
        return {attribute for attribute in dir(owner) if not attribute.startswith("_")}

    assert public(getattr(picows, name)) - public(getattr(wscore, name)) == set()
