"""Our ends of connections: one class for each interface, all of them used in the same way.

What differs between the interfaces is here, so that a test is written once: how a connection is
opened and with which arguments, how messages come and go, how one closes, and which exception says
that it is closed. Each does it in the way that its documentation shows first.
"""

import asyncio
import contextlib
import logging
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import wscore
from tests.field.peer import BOUND, Peer, connected, listening
from tests.support.tls import Tls
from tests.wscore import wire
from wscompat.asyncio import client as asyncio_client
from wscompat.asyncio import server as asyncio_server
from wscompat.exceptions import ConnectionClosed
from wscore import WSDeflate, WSFrame, WSListener, WSMessageListener, WSMessageReader, WSMsgType

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing them is deprecated
    from wscompat.legacy import client as legacy_client
    from wscompat.legacy import server as legacy_server

Message = str | bytes
OnMessage = Callable[[Message], None]
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


@dataclass(frozen=True)
class Options:
    """Arguments of both sides, under one name for all interfaces; None for their own defaults."""

    open_timeout: float | None = None
    close_timeout: float | None = None
    keepalive: tuple[float, float] | None = None  # seconds between pings, and for their answers
    max_size: int | None = None
    max_queue: int | None = None  # of those that queue
    deflate: bool = False
    busy_poll_us: int | None = None
    logger: logging.Logger | None = None
    subclass: Callable[[type], type] = lambda cls: cls  # of the class that has the connection


class End:
    """One end of a connection.

    Attributes:
        over: set when the test is done; until then the handler of a server goes on.
        closed_errors: what says that the connection is closed.
    """

    closed_errors: tuple[type[Exception], ...]

    def __init__(self) -> None:
        self.over = asyncio.Event()

    @property
    def transport(self) -> Any:
        """The transport of asyncio below."""
        raise NotImplementedError

    async def receive(self) -> Message:
        """Wait for the next message."""
        raise NotImplementedError

    async def consume(self, on_message: OnMessage, *, iterating: bool = False) -> None:
        """Call a function with each message, without anything in between, up to the end."""
        raise NotImplementedError

    async def send(self, message: Message) -> None:
        """Send a message, and wait as long as the interface says that one should."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connection, and wait until it is gone."""
        raise NotImplementedError

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        raise NotImplementedError

    @property
    def is_blocked(self) -> bool:
        """Whether the interface says that the peer does not take what is sent."""
        raise NotImplementedError

    @property
    def close_sent(self) -> int | None:
        """The code of the CLOSE that was sent."""
        raise NotImplementedError

    async def abandon(self) -> None:
        """Get rid of the connection, at the end of a test."""
        self.transport.abort()
        self.over.set()
        async with asyncio.timeout(BOUND):
            with contextlib.suppress(Exception):
                await self.wait_closed()


# -- wscore, with callbacks


class CoreEnd(End):
    """What the ends of wscore have in common: they send in the same way."""

    closed_errors = (EOFError,)
    core: wscore.WSTransport

    def __init__(self) -> None:
        super().__init__()
        self.writable = asyncio.Event()
        self.writable.set()

    @property
    def transport(self) -> Any:
        return self.core.underlying_transport

    async def send(self, message: Message) -> None:
        self.core.send_message(
            WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY, message
        )
        await self.writable.wait()

    async def close(self) -> None:
        self.core.send_close(1000)
        self.core.disconnect()
        await self.wait_closed()

    async def wait_closed(self) -> None:
        with contextlib.suppress(wscore.WSProtocolError):
            await self.core.wait_disconnected()

    @property
    def is_blocked(self) -> bool:
        return not self.writable.is_set() and self.core.is_writing_paused

    @property
    def close_sent(self) -> int | None:
        handshake = self.core.close_handshake
        return None if handshake is None or handshake.sent is None else int(handshake.sent.code)


class CallbackEnd(CoreEnd):
    """The end of a listener: what it is called with waits here, unless a test takes it at once."""

    def __init__(self, core: wscore.WSTransport) -> None:
        super().__init__()
        self.core = core
        self.on_message: OnMessage | None = None
        self.gone = asyncio.Event()
        self._messages: deque[Message] = deque()
        self._changed = asyncio.Event()

    def message_came(self, message: Message) -> None:
        if self.on_message is not None:
            self.on_message(message)
        else:
            self._messages.append(message)
            self._changed.set()

    def has_ended(self) -> None:
        self.gone.set()
        self.writable.set()
        self._changed.set()

    async def receive(self) -> Message:
        while not self._messages:
            if self.gone.is_set():
                raise EOFError("the connection is closed")
            self._changed.clear()
            await self._changed.wait()
        return self._messages.popleft()

    async def consume(self, on_message: OnMessage, *, iterating: bool = False) -> None:
        while self._messages:
            on_message(self._messages.popleft())
        self.on_message = on_message
        await self.gone.wait()


class Callbacks:
    """What both kinds of listeners have in common."""

    end: CallbackEnd
    deliver: Callable[[End], None]

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        self.end = CallbackEnd(transport)
        self.deliver(self.end)

    def on_ws_disconnected(self, transport: wscore.WSTransport) -> None:
        self.end.has_ended()

    def pause_writing(self) -> None:
        self.end.writable.clear()

    def resume_writing(self) -> None:
        self.end.writable.set()


class Frames(Callbacks, WSListener):
    """A listener to frames that answers a CLOSE, and joins fragments."""

    def __init__(self, deliver: Callable[[End], None]) -> None:
        super().__init__()
        self.deliver = deliver
        self.parts: list[bytes] = []
        self.is_text = False

    def on_ws_frame(self, transport: wscore.WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type <= WSMsgType.BINARY:
            if frame.msg_type != WSMsgType.CONTINUATION:
                self.parts, self.is_text = [], frame.msg_type == WSMsgType.TEXT
            self.parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                data = b"".join(self.parts)
                self.end.message_came(data.decode() if self.is_text else data)


class Messages(Callbacks, WSMessageListener):
    """A listener to messages, for those that are compressed."""

    def __init__(self, deliver: Callable[[End], None]) -> None:
        super().__init__()
        self.deliver = deliver

    def on_ws_message(
        self, transport: wscore.WSTransport, msg_type: WSMsgType, message: Message
    ) -> None:
        self.end.message_came(message)


# -- wscore, with a reader of messages


class ReaderEnd(CoreEnd):
    """The end of a message reader."""

    def __init__(self, reader: WSMessageReader) -> None:
        super().__init__()
        self.reader = reader
        self.core = reader.transport

    async def receive(self) -> Message:
        return await self.reader.recv()

    async def consume(self, on_message: OnMessage, *, iterating: bool = False) -> None:
        with contextlib.suppress(*self.closed_errors):
            if iterating:
                async for message in self.reader:
                    on_message(message)
            else:
                while True:
                    on_message(await self.reader.recv())


class Reader(WSMessageReader):
    """A reader that says when it may send."""

    end: ReaderEnd
    max_queue = 16

    def __init__(self, deliver: Callable[[End], None]) -> None:
        super().__init__(self.max_queue)
        self.deliver = deliver

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        self.end = ReaderEnd(self)
        self.deliver(self.end)

    def on_ws_disconnected(self, transport: wscore.WSTransport) -> None:
        super().on_ws_disconnected(transport)
        self.end.writable.set()

    def pause_writing(self) -> None:
        self.end.writable.clear()

    def resume_writing(self) -> None:
        self.end.writable.set()


# -- wscompat, both of its interfaces


class CompatEnd(End):
    """The end that is a connection of wscompat."""

    closed_errors = (ConnectionClosed,)

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection
        self._sends = 0

    @property
    def transport(self) -> Any:
        return self.connection.transport

    async def receive(self) -> Message:
        message: Message = await self.connection.recv()
        return message

    async def consume(self, on_message: OnMessage, *, iterating: bool = False) -> None:
        with contextlib.suppress(ConnectionClosed):
            if iterating:
                async for message in self.connection:
                    on_message(message)
            else:
                while True:
                    on_message(await self.connection.recv())

    async def send(self, message: Message) -> None:
        self._sends += 1
        await self.connection.send(message)
        self._sends -= 1

    async def close(self) -> None:
        await self.connection.close()

    async def wait_closed(self) -> None:
        await self.connection.wait_closed()

    @property
    def is_blocked(self) -> bool:
        return self._sends > 0

    @property
    def close_sent(self) -> int | None:
        sent = self.connection.closed_error().sent
        return None if sent is None else int(sent.code)


# -- the interfaces


Deliver = Callable[[End], None]


class Api:
    """An interface: how it opens connections.

    Attributes:
        name: as in the table of rows.
    """

    name: str

    def __repr__(self) -> str:
        return self.name

    async def serve(self, deliver: Deliver, tls: Tls | None, options: Options) -> Any:
        """Start a server on loopback that delivers its ends."""
        raise NotImplementedError

    async def connect(self, deliver: Deliver, port: int, tls: Tls | None, options: Options) -> None:
        """Connect to a server, and deliver the end."""
        raise NotImplementedError


class CoreApi(Api):
    """One of wscore's.

    Args:
        name: of the interface.
        listener: the class to make for each connection; given whether messages are compressed.
    """

    def __init__(self, name: str, listener: Callable[[bool], type]) -> None:
        self.name = name
        self._listener = listener

    async def serve(self, deliver: Deliver, tls: Tls | None, options: Options) -> Any:
        cls = self._class(options)
        return await wscore.ws_create_server(
            lambda _: cls(deliver),
            *("127.0.0.1", 0),
            ssl=tls and tls.server,
            **self._arguments(options),
        )

    async def connect(self, deliver: Deliver, port: int, tls: Tls | None, options: Options) -> None:
        cls = self._class(options)
        await wscore.ws_connect(
            lambda: cls(deliver),
            _url(port, tls),
            ssl_context=tls and tls.client,
            **self._arguments(options),
        )

    def _class(self, options: Options) -> type:
        cls = self._listener(options.deflate)
        if options.max_queue is not None and issubclass(cls, Reader):
            cls = type("Hoarder", (cls,), {"max_queue": options.max_queue})
        return options.subclass(cls)

    def _arguments(self, options: Options) -> dict[str, Any]:
        interval, timeout = options.keepalive or (None, None)
        return _given(
            websocket_handshake_timeout=options.open_timeout,
            enable_auto_ping=options.keepalive and True,
            auto_ping_idle_timeout=interval,
            auto_ping_reply_timeout=timeout,
            max_message_size=options.max_size,
            max_frame_size=options.max_size,
            deflate=WSDeflate() if options.deflate else None,
            busy_poll_us=options.busy_poll_us,
            logger_name=options.logger,
            disconnect_timeout=options.close_timeout,
        )


class CompatApi(Api):
    """One of wscompat's.

    Args:
        name: of the interface.
        client: its module with `connect`.
        server: its module with `serve`.
        classes: the classes of connections of clients and servers, and the argument for another.
    """

    def __init__(self, name: str, client: Any, server: Any, classes: tuple[str, str, str]) -> None:
        self.name = name
        self._client = client
        self._server = server
        self._classes = classes

    async def serve(self, deliver: Deliver, tls: Tls | None, options: Options) -> Any:
        async def handler(connection: Any) -> None:
            end = CompatEnd(connection)
            deliver(end)
            await end.over.wait()

        _, cls, argument = self._classes
        return await self._server.serve(
            handler,
            *("127.0.0.1", 0),
            ssl=tls and tls.server,
            **{argument: options.subclass(getattr(self._server, cls))},
            **self._arguments(options),
        )

    async def connect(self, deliver: Deliver, port: int, tls: Tls | None, options: Options) -> None:
        cls, _, argument = self._classes
        connection = await self._client.connect(
            _url(port, tls),
            **({"ssl": tls.client} if tls else {}),
            **({} if self.name == "legacy" else {"proxy": None}),
            **{argument: options.subclass(getattr(self._client, cls))},
            **self._arguments(options),
        )
        deliver(CompatEnd(connection))

    def _arguments(self, options: Options) -> dict[str, Any]:
        interval, timeout = options.keepalive or (None, None)
        return {
            "compression": "deflate" if options.deflate else None,
            "ping_interval": interval,
            **_given(
                open_timeout=options.open_timeout,
                close_timeout=options.close_timeout,
                ping_timeout=timeout,
                max_size=options.max_size,
                max_queue=options.max_queue,
                logger=options.logger,
            ),
        }


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _url(port: int, tls: Tls | None) -> str:
    return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/"


APIS: dict[str, Api] = {
    api.name: api
    for api in (
        CoreApi("callbacks", lambda deflate: Messages if deflate else Frames),
        CoreApi("reader", lambda deflate: Reader),
        CompatApi(
            "asyncio",
            *(asyncio_client, asyncio_server),
            ("ClientConnection", "ServerConnection", "create_connection"),
        ),
        CompatApi(
            "legacy",
            *(legacy_client, legacy_server),
            ("WebSocketClientProtocol", "WebSocketServerProtocol", "create_protocol"),
        ),
    )
}


@dataclass(frozen=True)
class Setting:
    """Where a test runs: our interface, our side, and over what."""

    api: Api
    side: str
    tls: Tls | None

    @contextlib.asynccontextmanager
    async def opened(
        self, count: int = 1, *, room: int | None = None, **options: Any
    ) -> AsyncIterator[list[tuple[End, Peer]]]:
        """Open connections, each with a bare peer at its other end.

        Args:
            count: how many.
            room: bytes of the receive buffers of the peers' sockets; the system's default if None.
            options: for `Options`.
        """
        own = self._with_clients if self.side == "server" else self._with_servers
        pairs: list[tuple[End, Peer]] = []
        async with own(count, room, Options(**options), pairs):
            try:
                yield pairs
            finally:
                for end, _ in pairs:
                    await end.abandon()

    @contextlib.asynccontextmanager
    async def pair(self, **options: Any) -> AsyncIterator[tuple[End, Peer]]:
        """Open one connection; see `opened`."""
        async with self.opened(**options) as ((end, peer),):
            yield end, peer

    @contextlib.asynccontextmanager
    async def serving(self, deliver: Deliver, **options: Any) -> AsyncIterator[int]:
        """Run a server of the interface, and give its port."""
        async with self._server(deliver, Options(**options)) as server:
            yield port_of(server)

    async def start(self, deliver: Deliver, **options: Any) -> Any:
        """Start a server of the interface; the test closes it."""
        return await self.api.serve(deliver, self.tls, Options(**options))

    async def connect(self, port: int, **options: Any) -> None:
        """Connect to a server that will not accept."""
        await self.api.connect(lambda end: None, port, self.tls, Options(**options))

    @contextlib.asynccontextmanager
    async def _server(self, deliver: Deliver, options: Options) -> AsyncIterator[Any]:
        server = await self.api.serve(deliver, self.tls, options)
        try:
            yield server
        finally:
            server.close()
            async with asyncio.timeout(BOUND):
                await server.wait_closed()

    @contextlib.asynccontextmanager
    async def _with_clients(
        self, count: int, room: int | None, options: Options, pairs: list[tuple[End, Peer]]
    ) -> AsyncIterator[None]:
        ends: asyncio.Queue[End] = asyncio.Queue()
        async with (
            self._server(ends.put_nowait, options) as server,
            contextlib.AsyncExitStack() as stack,
        ):
            port = port_of(server)
            for _ in range(count):
                context = self.tls and self.tls.client
                peer = await stack.enter_async_context(connected(port, context, room))
                await peer.shake_hands()
                await peer.send(wire.request(extra=DEFLATE if options.deflate else ""))
                assert wire.status_of(await peer.read_head()) == 101
                async with asyncio.timeout(BOUND):
                    pairs.append((await ends.get(), peer))
            yield

    @contextlib.asynccontextmanager
    async def _with_servers(
        self, count: int, room: int | None, options: Options, pairs: list[tuple[End, Peer]]
    ) -> AsyncIterator[None]:
        ends: asyncio.Queue[End] = asyncio.Queue()
        with (
            listening(self.tls and self.tls.server, room) as listener,
            contextlib.ExitStack() as stack,
        ):
            for _ in range(count):
                connecting = asyncio.create_task(
                    self.api.connect(ends.put_nowait, listener.port, self.tls, options)
                )
                peer = await listener.accept()
                stack.enter_context(peer.sock)
                await accept_upgrade(peer, DEFLATE if options.deflate else "")
                async with asyncio.timeout(BOUND):
                    await connecting
                pairs.append((ends.get_nowait(), peer))
            yield

    def __str__(self) -> str:
        return f"{self.api}-{self.side}-{'tls' if self.tls else 'plain'}"


async def accept_upgrade(peer: Peer, extra: str = "") -> None:
    """Play a server up to the end of the opening handshake."""
    await peer.shake_hands()
    key = wire.header_of(await peer.read_head(), "Sec-WebSocket-Key")
    assert key is not None
    await peer.send(wire.response(key, extra=extra))


def port_of(server: Any) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
