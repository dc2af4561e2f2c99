"""Connections of wscore, with each of its listeners, and of picows, with its one for frames."""

import asyncio
import contextlib
import importlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

from tests.campaign.peers import (
    MAX_SIZE,
    OPEN_TIMEOUT,
    PING_INTERVAL,
    PING_TIMEOUT,
    Closed,
    Connection,
    Handler,
    reset,
)

__all__ = ["connect", "serve"]

CLOSE_OK = 1000
MOST_WAITING = 64  # messages that nobody has received yet

LIMITS: dict[str, Any] = {
    "websocket_handshake_timeout": OPEN_TIMEOUT,
    "enable_auto_ping": True,
    "auto_ping_idle_timeout": PING_INTERVAL,
    "auto_ping_reply_timeout": PING_TIMEOUT,
    "max_frame_size": MAX_SIZE,
}


class CoreConnection:
    """What the listeners have in common: sending and ending.

    Mixed into a listener; `_module` is the package.
    """

    _module: Any

    def _begin(self) -> None:
        self._transport: Any = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._closing = False
        self._pongs: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._handler: Any = None

    # -- callbacks

    def on_ws_connected(self, transport: Any) -> None:
        self._transport = transport
        if self._handler is not None:
            self._task = asyncio.ensure_future(self._handler(self))

    def on_ws_disconnected(self, transport: Any) -> None:
        self._gone.set()
        self._writable.set()
        for pong in self._pongs:
            if not pong.done():
                pong.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _pong(self) -> None:
        for pong in self._pongs:
            if not pong.done():
                pong.set_result(None)
        self._pongs.clear()

    # -- sending

    def _is_open(self) -> bool:
        if self._closing or self._gone.is_set():
            return False
        return bool(getattr(self._transport, "is_open", True))

    def _kind(self, message: str | bytes) -> Any:
        kinds = self._module.WSMsgType
        return kinds.TEXT if isinstance(message, str) else kinds.BINARY

    def _send(self, kind: Any, message: str | bytes, fin: bool) -> None:
        if hasattr(self._transport, "send_message"):
            self._transport.send_message(kind, message, fin)
        else:
            self._transport.send(
                kind, message.encode() if isinstance(message, str) else message, fin
            )

    async def send(self, message: str | bytes) -> None:
        if not self._is_open():
            raise Closed
        self._send(self._kind(message), message, True)
        await self._writable.wait()

    async def send_fragments(self, parts: list[str] | list[bytes]) -> None:
        last = len(parts) - 1
        for number, part in enumerate(parts):
            if not self._is_open():
                raise Closed
            kind = self._module.WSMsgType.CONTINUATION if number else self._kind(part)
            self._send(kind, part, number == last)
            await self._writable.wait()

    async def ping(self) -> None:
        if not self._is_open():
            raise Closed
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self._transport.send_ping(b"campaign")
        await asyncio.wait([pong])
        if pong.cancelled():
            raise Closed

    # -- the end

    async def close(self) -> None:
        self._closing = True
        if not self._transport.is_close_frame_sent:
            self._transport.send_close(CLOSE_OK)
        await self._gone.wait()

    def end(self, how: str) -> None:
        self._closing = True
        if how == "close and disconnect":
            self._transport.send_close(CLOSE_OK)
            self._transport.disconnect()
        elif how == "disconnect":
            self._transport.disconnect()
        else:
            if how == "reset":
                reset(self._transport.underlying_transport)
            self._transport.disconnect(False)

    def codes(self) -> tuple[int | None, int | None]:
        record = self._transport.close_handshake
        if record is None:
            return None, None
        return (
            int(record.sent.code) if record.sent else None,
            int(record.recv.code) if record.recv else None,
        )


class Inbox(CoreConnection):
    """For the listeners that are called: a queue of messages.

    Reading pauses while it is full, but not once this side closes the connection: the peer's CLOSE
    is behind what nobody may want to receive any more.
    """

    def _begin(self) -> None:
        super()._begin()
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._ended = False
        self._paused = False

    def on_ws_disconnected(self, transport: Any) -> None:
        super().on_ws_disconnected(transport)
        self._messages.put_nowait(None)

    def _put(self, message: str | bytes) -> None:
        self._messages.put_nowait(message)
        if self._messages.qsize() >= MOST_WAITING and not (self._paused or self._closing):
            self._paused = True
            self._transport.underlying_transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused and not self._gone.is_set():
            self._paused = False
            self._transport.underlying_transport.resume_reading()

    async def recv(self) -> str | bytes:
        if self._ended:
            raise Closed
        message = await self._messages.get()
        if message is None:
            self._ended = True
            raise Closed
        if self._messages.qsize() < MOST_WAITING // 2:
            self._resume_reading()
        return message

    async def close(self) -> None:
        self._closing = True
        self._resume_reading()
        await super().close()


class Frames(Inbox):
    """For a `WSListener`, which is shown frames, PINGs answered."""

    def _begin(self) -> None:
        super()._begin()
        self._parts: list[bytes] = []
        self._is_text = False

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        kinds = self._module.WSMsgType
        kind = frame.msg_type
        if kind == kinds.PONG:
            self._pong()
        elif kind == kinds.CLOSE:
            self._closing = True
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind != kinds.PING:
            if kind != kinds.CONTINUATION:
                self._is_text = kind == kinds.TEXT
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                whole = b"".join(self._parts)
                self._parts.clear()
                self._put(whole.decode() if self._is_text else whole)


class Messages(Inbox):
    """For a `WSMessageListener`."""

    def on_ws_message(self, transport: Any, msg_type: Any, message: str | bytes) -> None:
        self._put(message)

    def on_pong(self, payload: bytes) -> None:
        self._pong()


class Reader(CoreConnection):
    """For a `WSMessageReader`, which has its own `recv`."""

    def on_ws_disconnected(self, transport: Any) -> None:
        CoreConnection.on_ws_disconnected(self, transport)
        self._module.WSMessageReader.on_ws_disconnected(self, transport)

    def on_pong(self, payload: bytes) -> None:
        self._pong()

    async def recv(self) -> str | bytes:
        try:
            return await self._module.WSMessageReader.recv(self)
        except EOFError:
            raise Closed from None


KINDS = {
    "frames": (Frames, "WSListener"),
    "messages": (Messages, "WSMessageListener"),
    "reader": (Reader, "WSMessageReader"),
}


def _new(api: str, handler: Any = None) -> Any:
    package, _, kind = api.partition(".")
    module = importlib.import_module(package)
    mixin, base = KINDS[kind]
    key = f"{api} listener"
    if key not in _types:
        _types[key] = type(mixin.__name__, (mixin, getattr(module, base)), {"_module": module})
    listener = _types[key]()
    listener._begin()
    listener._handler = handler
    return listener


_types: dict[str, Any] = {}


@contextlib.asynccontextmanager
async def connect(
    api: str, url: str, *, tls: ssl.SSLContext | None, compression: bool
) -> AsyncIterator[Connection]:
    module = importlib.import_module(api.partition(".")[0])
    options = dict(LIMITS)
    if compression and not api.endswith("frames"):
        options["deflate"] = module.WSDeflate()
    # The time-out of the handshake begins with the TCP connection, which no option limits.
    async with asyncio.timeout(OPEN_TIMEOUT):
        transport, listener = await module.ws_connect(
            lambda: _new(api),
            url,
            ssl_context=tls,
            **options,
        )
    try:
        yield listener
    finally:
        transport.disconnect()
        await asyncio.shield(listener._gone.wait())


@contextlib.asynccontextmanager
async def serve(
    api: str, handler: Handler, listening: socket.socket, *, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    module = importlib.import_module(api.partition(".")[0])
    options = dict(LIMITS)
    if not api.endswith("frames"):
        options["deflate"] = module.WSDeflate()
    connections: set[Any] = set()

    def make_listener(request: Any) -> Any:
        path = request.path.decode()

        async def handle(listener: Any) -> None:
            connections.add(listener)
            try:
                await handler(listener, path)
            finally:
                connections.discard(listener)
                listener._transport.disconnect()

        return _new(api, handle)

    server = await module.ws_create_server(make_listener, sock=listening, ssl=tls, **options)
    try:
        yield
    finally:
        server.close()
        for listener in list(connections):
            listener._transport.disconnect()
        await server.wait_closed()
