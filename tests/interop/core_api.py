"""A peer made of any package with the callback API of `picows`, given the package's name.

It must use only what such a package documents, and nothing that one of them has alone. The two
listeners are mixed with the package's own base class, which is not known before it is imported.
"""

import asyncio
import contextlib
import functools
import importlib
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tests.interop.endpoints import (
    ASK_CLOSE,
    ASK_FRAGMENTS,
    ASK_PING,
    HOST,
    SERVER_CLOSE,
    SERVER_FRAGMENTS,
    SERVER_PING,
    Burst,
    Client,
    Close,
    Fragments,
    Message,
    OnClosed,
    Peer,
    pong_report,
)

# How long a connection may take to go away once it has been told to.
CLOSE_TIMEOUT = 2.0

_REQUESTS = {request.encode(): request for request in (ASK_FRAGMENTS, ASK_PING, ASK_CLOSE)}


class ClientListener:
    """The client's end: collects messages out of frames, and pongs."""

    kinds: Any  # the package's WSMsgType

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.closing = False
        self.close: Close | None = None
        self._text = False
        self._parts: list[bytes] = []
        self._burst: Burst | None = None
        self._burst_done: asyncio.Future[None] | None = None

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        kinds = self.kinds
        kind = frame.msg_type
        if kind == kinds.PING:
            return  # the package answers it
        if kind == kinds.PONG:
            self.pongs.put_nowait(frame.get_payload_as_bytes())
        elif kind == kinds.CLOSE:
            self.close = received_close(frame)
            if not self.closing:
                self.answer_close(transport, self.close)
            transport.disconnect()
        elif self._burst is not None:
            self._on_burst(transport, frame)
        else:
            self._on_data(frame)

    def on_ws_disconnected(self, transport: Any) -> None:
        self.messages.put_nowait(None)
        self.pongs.put_nowait(None)
        if self._burst_done and not self._burst_done.done():
            self._burst_done.set_exception(ConnectionError("disconnected"))

    def answer_close(self, transport: Any, close: Close) -> None:
        """Answer a CLOSE with the same code and reason (RFC 6455, 5.5.1)."""
        transport.send_close(close.code, close.reason.encode())

    def start_burst(self, transport: Any, burst: Burst) -> asyncio.Future[None]:
        """Take all further messages as replies of the burst; the result is set at its end."""
        self._burst = burst
        self._burst_done = asyncio.get_running_loop().create_future()
        transport.send(self.kinds.BINARY, burst.first())
        return self._burst_done

    def _on_data(self, frame: Any) -> None:
        if frame.msg_type != self.kinds.CONTINUATION:
            self._text = frame.msg_type == self.kinds.TEXT
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self.messages.put_nowait(whole.decode() if self._text else whole)

    def _on_burst(self, transport: Any, frame: Any) -> None:
        assert self._burst is not None
        assert self._burst_done is not None
        try:
            message = self._burst.answered(frame.get_payload_as_bytes())
        except Exception as error:
            self._burst = None
            self._burst_done.set_exception(error)
            return
        if message is not None:
            transport.send(self.kinds.BINARY, message)
        else:
            self._burst = None
            self._burst_done.set_result(None)


class CallbackClient:
    """Gives a listener and its transport the shape that the conversation wants."""

    def __init__(self, transport: Any, listener: ClientListener) -> None:
        self._transport = transport
        self._listener = listener
        self._kinds = listener.kinds

    async def send(self, message: Message) -> None:
        self._transport.send(self._kind(message), encode(message))

    async def send_fragments(self, fragments: Fragments) -> None:
        for number in range(len(fragments)):
            self._send_fragment(fragments, number)

    async def send_fragments_around_ping(self, fragments: Fragments, payload: bytes) -> bytes:
        self._send_fragment(fragments, 0)
        self._transport.send_ping(payload)
        for number in range(1, len(fragments)):
            self._send_fragment(fragments, number)
        return await self._pong()

    async def receive(self) -> Message:
        message = await self._listener.messages.get()
        if message is None:
            raise ConnectionError(f"disconnected, close {self._listener.close}")
        return message

    async def ping(self, payload: bytes) -> bytes:
        self._transport.send_ping(payload)
        return await self._pong()

    async def burst(self, burst: Burst) -> None:
        await self._listener.start_burst(self._transport, burst)

    async def close(self, close: Close) -> Close | None:
        self._listener.closing = True
        self._transport.send_close(close.code, close.reason.encode())
        return await self.wait_closed()

    async def wait_closed(self) -> Close | None:
        await self._transport.wait_disconnected()
        return self._listener.close

    async def _pong(self) -> bytes:
        pong = await self._listener.pongs.get()
        if pong is None:
            raise ConnectionError(f"disconnected, close {self._listener.close}")
        return pong

    def _kind(self, message: Message) -> Any:
        return self._kinds.TEXT if isinstance(message, str) else self._kinds.BINARY

    def _send_fragment(self, fragments: Fragments, number: int) -> None:
        fragment = fragments[number]
        kind = self._kinds.CONTINUATION if number else self._kind(fragment)
        self._transport.send(kind, encode(fragment), fin=number + 1 == len(fragments))


class EchoListener:
    """The server's end of one connection: echoes frame by frame, as they come."""

    kinds: Any  # the package's WSMsgType
    on_closed: OnClosed
    transports: set[Any]

    def __init__(self) -> None:
        self.path = ""
        self._closing = False
        self._close: Close | None = None

    def on_ws_connected(self, transport: Any) -> None:
        self.transports.add(transport)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        kinds = self.kinds
        kind = frame.msg_type
        if kind == kinds.PING:
            return  # the package answers it
        if kind == kinds.PONG:
            transport.send(kinds.TEXT, pong_report(frame.get_payload_as_bytes()).encode())
        elif kind == kinds.CLOSE:
            self._close = received_close(frame)
            if not self._closing:
                self.answer_close(transport, self._close)
            transport.disconnect()
        elif kind == kinds.TEXT and frame.fin and frame.get_payload_as_bytes() in _REQUESTS:
            self._on_request(transport, _REQUESTS[frame.get_payload_as_bytes()])
        else:
            self.echo(transport, frame)

    def on_ws_disconnected(self, transport: Any) -> None:
        self.transports.discard(transport)
        type(self).on_closed(self.path, self._close)

    def echo(self, transport: Any, frame: Any) -> None:
        """Send a data frame back."""
        transport.send(frame.msg_type, frame.get_payload_as_memoryview(), fin=frame.fin)

    def answer_close(self, transport: Any, close: Close) -> None:
        """Answer a CLOSE with the same code and reason (RFC 6455, 5.5.1)."""
        transport.send_close(close.code, close.reason.encode())

    def _on_request(self, transport: Any, request: str) -> None:
        if request == ASK_PING:
            transport.send_ping(SERVER_PING)
        elif request == ASK_CLOSE:
            self._closing = True
            transport.send_close(SERVER_CLOSE.code, SERVER_CLOSE.reason.encode())
        else:
            last = len(SERVER_FRAGMENTS) - 1
            for number, fragment in enumerate(SERVER_FRAGMENTS):
                kind = self.kinds.CONTINUATION if number else self.kinds.TEXT
                transport.send(kind, fragment.encode(), fin=number == last)


def encode(message: Message) -> bytes:
    """Return the payload of a frame that carries a message or a part of one."""
    return message.encode() if isinstance(message, str) else message


def received_close(frame: Any) -> Close:
    """Return what a CLOSE frame carries."""
    return Close(int(frame.get_close_code()), (frame.get_close_message() or b"").decode())


def make_peer(package: str) -> Peer:
    """Return a peer that runs on the package of that name.

    Raises:
        ImportError: the package is not installed.
    """
    return make_peer_with(package, importlib.import_module(package))


def make_peer_with(
    name: str,
    core: Any,
    *,
    client: type[ClientListener] = ClientListener,
    echo: type[EchoListener] = EchoListener,
    **server_options: Any,
) -> Peer:
    """Return a peer that runs on an imported package, with listeners of one's own.

    Args:
        name: what to call the peer.
        core: the package.
        client: mixed into the listener of the client.
        echo: mixed into the listener of the server.
        server_options: further arguments for the package's `ws_create_server`.
    """
    return Peer(
        name,
        functools.partial(_connect, core, client),
        functools.partial(_serve, core, echo, server_options),
    )


@contextlib.asynccontextmanager
async def _connect(
    core: Any,
    client: type[ClientListener],
    url: str,
    *,
    tls: ssl.SSLContext | None,
    proxy: str | None,
) -> AsyncIterator[Client]:
    client_type = type("Client", (client, core.WSListener), {"kinds": core.WSMsgType})
    transport, listener = await core.ws_connect(client_type, url, ssl_context=tls, proxy=proxy)
    try:
        yield CallbackClient(transport, listener)
    finally:
        transport.disconnect()
        await asyncio.wait_for(transport.wait_disconnected(), CLOSE_TIMEOUT)


@contextlib.asynccontextmanager
async def _serve(
    core: Any,
    echo: type[EchoListener],
    options: Mapping[str, Any],
    *,
    tls: ssl.SSLContext | None,
    on_closed: OnClosed,
) -> AsyncIterator[int]:
    transports: set[Any] = set()
    shared = {
        "kinds": core.WSMsgType,
        "on_closed": staticmethod(on_closed),
        "transports": transports,
    }
    echo_type = type("Echo", (echo, core.WSListener), shared)

    def make_listener(request: Any) -> Any:
        listener = echo_type()
        listener.path = request.path.decode()
        return listener

    server = await core.ws_create_server(make_listener, HOST, 0, ssl=tls, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in list(transports):
            transport.disconnect()
        await asyncio.wait_for(server.wait_closed(), CLOSE_TIMEOUT)
