"""The servers that programs of other people connect to: echo on wscore and on wscompat, and a page.

Each echo server closes a connection that asks for it, and remembers how connections were closed.
The page is served by wscore as well, which answers requests that are not for an upgrade.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import wscompat
from tests.conformance.testees import HOST, FrameEcho
from wscompat.asyncio.server import ServerConnection, serve
from wscore import (
    WSDeflate,
    WSFrame,
    WSListener,
    WSMessageListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

PLEASE_CLOSE = b"please close"
PLEASE_LEAVE = b"please leave"  # that is, close and disconnect at once
SERVER_CLOSE = (4002, "sbohem 😀")
SUBPROTOCOL = "echo"

# Messages of a megabyte and more are part of the conversation.
MAX_SIZE = 8 << 20

PAGE = Path(__file__).with_name("page.html")


@dataclass
class Seen:
    """What an echo server saw.

    Attributes:
        closes: code and reason of each CLOSE received; 1005 stands for none, as everywhere.
        headers: the request of each connection.
    """

    closes: list[tuple[int, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


# --- wscore -------------------------------------------------------------------------------------


class Leaving(WSListener):
    """Disconnects behind its CLOSE, and notes the peer's at the end."""

    has_left = False

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def leave(self, transport: WSTransport) -> None:
        self.has_left = True
        transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        closing = transport.close_handshake
        if self.has_left and closing is not None and closing.recv is not None:
            self.seen.closes.append((int(closing.recv.code) or 1005, closing.recv.reason or ""))


class CoreEcho(Leaving, FrameEcho):
    """Echoes frames, closes if it is asked to, and notes the CLOSE it gets."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes() if frame.msg_type == WSMsgType.TEXT else b""
        if message in (PLEASE_CLOSE, PLEASE_LEAVE):
            code, reason = SERVER_CLOSE
            transport.send_close(code, reason.encode())
            if message == PLEASE_LEAVE:
                self.leave(transport)
            return
        if frame.msg_type == WSMsgType.CLOSE:
            code = int(frame.get_close_code()) or 1005
            self.seen.closes.append((code, frame.get_close_reason() or ""))
            if transport.is_close_frame_sent:
                transport.disconnect()
                return
        super().on_ws_frame(transport, frame)


class MessageEcho(Leaving, WSMessageListener):
    """Echoes messages, and writes down the CLOSE."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            code = int(frame.get_close_code()) or 1005
            self.seen.closes.append((code, frame.get_close_reason() or ""))
        super().on_ws_frame(transport, frame)

    def on_ws_message(
        self, transport: WSTransport, msg_type: WSMsgType, message: str | bytes
    ) -> None:
        if message in (PLEASE_CLOSE.decode(), PLEASE_LEAVE.decode()):
            transport.send_close(*SERVER_CLOSE)
            if message == PLEASE_LEAVE.decode():
                self.leave(transport)
        else:
            transport.send_message(msg_type, message)


@contextlib.asynccontextmanager
async def _core_echo(seen: Seen, compressed: bool) -> AsyncIterator[int]:
    def route(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        seen.headers.append(request.headers)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        chosen = {"Sec-WebSocket-Protocol": SUBPROTOCOL} if SUBPROTOCOL in offered else {}
        response = WSUpgradeResponse.create_101_response(chosen)
        listener = MessageEcho(seen) if compressed else CoreEcho(seen)
        return WSUpgradeResponseWithListener(response, listener)

    deflate = WSDeflate() if compressed else None
    server = await ws_create_server(route, HOST, 0, max_frame_size=MAX_SIZE, deflate=deflate)
    async with server:
        yield server.sockets[0].getsockname()[1]


# --- wscompat -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _compat_echo(seen: Seen, compressed: bool) -> AsyncIterator[int]:
    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.headers.append(dict(connection.request.headers.raw_items()))
        with contextlib.suppress(wscompat.ConnectionClosed):
            async for message in connection:
                if message in (PLEASE_CLOSE.decode(), PLEASE_LEAVE.decode()):
                    await connection.close(*SERVER_CLOSE)
                else:
                    await connection.send(message)
        await connection.wait_closed()
        assert connection.close_code is not None
        seen.closes.append((connection.close_code, connection.close_reason or ""))

    async with serve(
        handler,
        HOST,
        0,
        max_size=MAX_SIZE,
        compression="deflate" if compressed else None,
        subprotocols=[wscompat.Subprotocol(SUBPROTOCOL)],
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


ECHO = {"wscore": _core_echo, "wscompat": _compat_echo}


@contextlib.asynccontextmanager
async def echo_server(package: str, compressed: bool) -> AsyncIterator[tuple[str, Seen]]:
    """Run the echo server of a package; give its URL, and what it sees."""
    seen = Seen()
    async with ECHO[package](seen, compressed) as port:
        yield f"ws://{HOST}:{port}/echo", seen


# --- The page, and what it reports --------------------------------------------------------------


class Report(WSListener):
    """Takes the one message that the page sends at its end."""

    def __init__(self, result: asyncio.Future[str]) -> None:
        self.result = result

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.result.set_result(frame.get_payload_as_utf8_text())
        transport.disconnect()


@contextlib.asynccontextmanager
async def page_server(targets: Mapping[str, str]) -> AsyncIterator[tuple[str, asyncio.Future[str]]]:
    """Serve the page that talks with these URLs; give its own URL, and what it reports, JSON."""
    report: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def route(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        if request.path == b"/report":
            return Report(report)
        if request.path != b"/":
            return None  # the icon of the page
        page = PAGE.read_text("utf-8")
        page = page.replace("{/*targets*/}", json.dumps(targets))
        page = page.replace("/*report*/", f"ws://{request.headers['Host']}/report")
        response = WSUpgradeResponse.create_ok_response(
            page.encode(), {"Content-Type": "text/html; charset=utf-8"}
        )
        return WSUpgradeResponseWithListener(response, None)

    server = await ws_create_server(route, HOST, 0)
    async with server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/", report
