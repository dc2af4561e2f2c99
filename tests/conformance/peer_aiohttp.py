"""The peer `aiohttp`, for the conversation of `tests/interop`.

It answers pings itself, where aiohttp would do so unseen. Three things aiohttp cannot: send a
message in fragments, so it sends them whole; tell the reason of a CLOSE that answers its own, so
that reason is taken for right; and, as a server, answer a CLOSE with the code that came.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator

from aiohttp import ClientSession, ClientWebSocketResponse, WSMessage, WSMsgType, web

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

Socket = ClientWebSocketResponse | web.WebSocketResponse


# What aiohttp's server answers every CLOSE with.
SERVER_ANSWER = Close(1000, "")


class AiohttpClient:
    """The client's end.

    Args:
        socket: an open connection of aiohttp.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._messages: deque[Message] = deque()

    async def send(self, message: Message) -> None:
        await send(self._socket, message)

    async def send_fragments(self, fragments: Fragments) -> None:
        await self.send(joined(fragments))

    async def send_fragments_around_ping(self, fragments: Fragments, payload: bytes) -> bytes:
        await self.send_fragments(fragments)
        return await self.ping(payload)

    async def receive(self) -> Message:
        while not self._messages:
            await self._next(WSMsgType.TEXT, WSMsgType.BINARY)
        return self._messages.popleft()

    async def ping(self, payload: bytes) -> bytes:
        await self._socket.ping(payload)
        return bytes((await self._next(WSMsgType.PONG)).data)

    async def burst(self, burst: Burst) -> None:
        raise NotImplementedError

    async def close(self, close: Close) -> Close | None:
        await self._socket.close(code=close.code, message=close.reason.encode())
        code = self._socket.close_code
        return None if code in (None, 1006) else Close(int(code), close.reason)

    async def wait_closed(self) -> Close | None:
        message = await self._next(WSMsgType.CLOSE)
        await answer_close(self._socket, message)
        return Close(message.data, message.extra or "")

    async def _next(self, *kinds: WSMsgType) -> WSMessage:
        """Receive until something of these kinds comes; other messages are kept."""
        while True:
            message = await self._socket.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._messages.append(message.data)
            elif message.type == WSMsgType.PING:
                await self._socket.pong(message.data)
            if message.type in kinds:
                return message
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
                raise ConnectionError(f"received {message}")


async def send(socket: Socket, message: Message) -> None:
    """Send a message in a frame of its type."""
    if isinstance(message, str):
        await socket.send_str(message)
    else:
        await socket.send_bytes(message)


async def answer_close(socket: Socket, message: WSMessage) -> None:
    """Answer a CLOSE with the same code and reason."""
    await socket.close(code=message.data, message=(message.extra or "").encode())


def joined(fragments: Fragments) -> Message:
    """Return the message that some fragments make."""
    if isinstance(fragments[0], str):
        return "".join(map(str, fragments))
    return b"".join(fragment for fragment in fragments if isinstance(fragment, bytes))


async def _echo(socket: web.WebSocketResponse) -> Close | None:
    """Serve one connection; return the CLOSE that came."""
    while True:
        message = await socket.receive()
        data = message.data
        if message.type == WSMsgType.PING:
            await socket.pong(data)
        elif message.type == WSMsgType.PONG:
            await socket.send_str(pong_report(bytes(data)))
        elif data == ASK_FRAGMENTS:
            await send(socket, joined(SERVER_FRAGMENTS))
        elif data == ASK_PING:
            await socket.ping(SERVER_PING)
        elif data == ASK_CLOSE:
            await socket.close(code=SERVER_CLOSE.code, message=SERVER_CLOSE.reason.encode())
            return Close(socket.close_code or 1006, SERVER_CLOSE.reason)
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await send(socket, data)
        elif message.type == WSMsgType.CLOSE:
            return Close(data, message.extra or "")
        else:
            return None


@contextlib.asynccontextmanager
async def _connect(
    url: str, *, tls: ssl.SSLContext | None, proxy: str | None
) -> AsyncIterator[Client]:
    async with (
        ClientSession() as session,
        session.ws_connect(
            url, ssl=tls or True, proxy=proxy, autoping=False, autoclose=False, max_msg_size=0
        ) as socket,
    ):
        yield AiohttpClient(socket)


@contextlib.asynccontextmanager
async def _serve(*, tls: ssl.SSLContext | None, on_closed: OnClosed) -> AsyncIterator[int]:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await socket.prepare(request)
        on_closed(request.path, await _echo(socket))
        return socket

    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0, ssl_context=tls).start()
        yield runner.addresses[0][1]
    finally:
        await asyncio.wait_for(runner.cleanup(), 5)


PEER = Peer("aiohttp", _connect, _serve)
