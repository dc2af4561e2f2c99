"""A listener that writes down its messages, and what a peer that compresses sends."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.wscore import wire
from tests.wscore.pairs import Setting, until_gone
from tests.wscore.raw_peer import BOUND, RawPeer, accepting, connecting
from wscore import WSMessageListener, WSMsgType, WSTransport, ws_connect, ws_create_server
from wscore.connection.message_base import WSMessageBase

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
TAIL = b"\x00\x00\xff\xff"

OnMessage = Callable[[WSTransport, WSMsgType, str | bytes], None]


class MessageRecorder(WSMessageListener):
    """Keeps every message.

    Attributes:
        messages: what it was called with.
        on_message: called for every message, after it was written down.
    """

    def __init__(self, on_message: OnMessage | None = None) -> None:
        self.messages: list[tuple[WSMsgType, str | bytes]] = []
        self.on_message = on_message
        self._changed = asyncio.Event()

    @property
    def seen(self) -> list[str | bytes]:
        return [message for _, message in self.messages]

    def on_ws_message(
        self, transport: WSTransport, msg_type: WSMsgType, message: str | bytes
    ) -> None:
        assert transport is self.transport
        assert isinstance(message, str if msg_type == WSMsgType.TEXT else bytes)
        self.messages.append((msg_type, message))
        self._changed.set()
        if self.on_message is not None:
            self.on_message(transport, msg_type, message)

    async def until(self, count: int) -> None:
        """Wait until so many messages have come."""
        async with asyncio.timeout(BOUND):
            while len(self.messages) < count:
                self._changed.clear()
                await self._changed.wait()


class Packer:
    """Compresses as a peer would.

    Args:
        bits: the window.
        keeps_context: whether messages refer to earlier ones.
    """

    def __init__(self, bits: int = 15, keeps_context: bool = True) -> None:
        self.bits = bits
        self.keeps_context = keeps_context
        self._stream = zlib.compressobj(6, zlib.DEFLATED, -bits)

    def __call__(self, data: bytes) -> bytes:
        if not self.keeps_context:
            self._stream = zlib.compressobj(6, zlib.DEFLATED, -self.bits)
        packed = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return packed.removesuffix(TAIL)


@contextlib.asynccontextmanager
async def messages_to(
    setting: Setting, listener: WSMessageBase, extension: str = "", **options: Any
) -> AsyncIterator[tuple[WSTransport, RawPeer]]:
    """Yield an open connection with a bare socket on the other end.

    Args:
        setting: who is who.
        listener: of wscore's side.
        extension: the header line by which the socket offers or accepts one, if it does.
        options: of `ws_connect` or `ws_create_server`.
    """
    own = _with_raw_client if setting.side == "server" else _with_raw_server
    async with own(setting, listener, extension, options) as peer:
        transport = listener.transport
        assert (transport.deflate is not None) == bool(extension)
        try:
            yield transport, peer
        finally:
            transport.disconnect(graceful=False)
            await until_gone(transport)


@contextlib.asynccontextmanager
async def _with_raw_client(
    setting: Setting, listener: WSMessageBase, extension: str, options: dict[str, Any]
) -> AsyncIterator[RawPeer]:
    server = await ws_create_server(
        lambda _: listener, "127.0.0.1", 0, **setting.server_options, **options
    )
    port = server.sockets[0].getsockname()[1]
    try:
        async with connecting(port, setting.tls and setting.tls.client) as peer:
            await peer.send(wire.request(extra=extension))
            head = await peer.read_head()
            assert bool(wire.header_of(head, "Sec-WebSocket-Extensions")) == bool(extension)
            yield peer
    finally:
        server.close()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


@contextlib.asynccontextmanager
async def _with_raw_server(
    setting: Setting, listener: WSMessageBase, extension: str, options: dict[str, Any]
) -> AsyncIterator[RawPeer]:
    accepted: asyncio.Future[RawPeer] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def script(peer: RawPeer) -> None:
        key = wire.header_of(await peer.read_head(), "Sec-WebSocket-Key")
        assert key is not None
        await peer.send(wire.response(key, extra=extension))
        accepted.set_result(peer)
        await over.wait()

    async with accepting(script, setting.tls and setting.tls.server) as port:
        try:
            await ws_connect(
                lambda: listener, setting.url(port), **setting.client_options, **options
            )
            yield await accepted
        finally:
            over.set()
