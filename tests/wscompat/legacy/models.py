"""The older API of both libraries, and a peer that is only a socket.

A case is run with websockets and with wscompat, against the same peer, and must give the same
record.
"""

import asyncio
import contextlib
import importlib
import re
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.wscompat import libraries
from tests.wscompat.libraries import BOUND, closing_at_exit, port_of
from tests.wscompat.raw import REQUEST


class Legacy:
    """The modules of the older API in one of the libraries.

    Args:
        name: the package to import.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # importing them is deprecated
            for part in (
                *("auth", "client", "exceptions", "framing", "handshake"),
                *("http", "protocol", "server"),
            ):
                setattr(self, part, importlib.import_module(f"{name}.legacy.{part}"))
        self.errors = importlib.import_module(f"{name}.exceptions")
        self.opcode = importlib.import_module(f"{name}.frames").Opcode
        self.headers = importlib.import_module(f"{name}.datastructures").Headers

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __repr__(self) -> str:
        return self.name


MODEL = Legacy("websockets")
OURS = Legacy("wscompat")


def describe(exc: BaseException) -> str:
    """Return an exception's type and text, without the parts that may differ.

    Ours are subclasses in one case, and a CLOSE for bad input says what was wrong.
    """
    name = type(exc).__name__.replace("ConcurrencyError", "RuntimeError")
    text = re.sub(r"(sent 10(?:02|07|09) \([a-z ]+\))[^;]*", r"\1", str(exc))
    return f"{name}: {text}"


class Record(libraries.Record):
    """The events, in their order."""

    describe = staticmethod(describe)

    async def attempt(self, action: Awaitable[Any]) -> Any:
        """Note the result of an action, be it an exception or its cancellation."""
        try:
            return await super().attempt(action)
        except asyncio.CancelledError:
            self.note("cancelled")
            return None

    def state(self, websocket: Any) -> None:
        """Note the state of a connection."""
        self.note(
            "state",
            *(int(websocket.state), websocket.open, websocket.closed),
            *(websocket.close_code, websocket.close_reason),
        )


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Return a frame of a client, with a mask of zeros."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    assert len(payload) < 126
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    """Return a CLOSE of a client."""
    return frame(8, code.to_bytes(2, "big") + reason)


class Peer:
    """A client that is only a socket.

    Args:
        reader: the stream it receives from.
        writer: the stream it sends to.

    Attributes:
        record: the frames it received.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.record = Record()
        self.writer = writer
        self._reader = reader
        self._waited_for = 0
        self._more = asyncio.Event()
        self._answers = False
        self._has_closed = False
        self._reading = asyncio.ensure_future(self._read())

    def send(self, *frames: bytes) -> None:
        """Send frames, in one piece."""
        self._has_closed |= any(sent[0] == 0x88 for sent in frames)
        self.writer.write(b"".join(frames))

    async def frames(self, count: int) -> None:
        """Wait until so many more frames came."""
        self._waited_for += count
        async with asyncio.timeout(BOUND):
            while len(self.record.events) < self._waited_for and not self._reading.done():
                self._more.clear()
                await self._more.wait()

    async def rest(self) -> None:
        """Wait until there are no more frames."""
        async with asyncio.timeout(BOUND):
            await self._reading

    async def end(self) -> None:
        """Answer a CLOSE, and wait until the server has closed the connection."""
        self._answers = True
        self._answer()
        await self.rest()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _read(self) -> None:
        """Note all frames. The connection is closed when the server has closed its end."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.record.note(*await self._frame())
                self._more.set()
                self._answer()
        self.record.note("end of the stream")
        self._more.set()
        self.writer.close()

    async def _frame(self) -> tuple[str, bytes]:
        first, size = await self._reader.readexactly(2)
        if size >= 126:
            extended = await self._reader.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(extended, "big")
        payload = await self._reader.readexactly(size)
        if first == 0x88 and payload[:2] in (b"\x03\xea", b"\x03\xef", b"\x03\xf1"):
            payload = payload[:2]  # ours says what was wrong
        return f"frame {first:02x}", payload

    def _answer(self) -> None:
        if self._answers and not self._has_closed and not self.writer.is_closing():
            for name, *payload in self.record.events:
                if name == "frame 88":
                    self.send(frame(8, *payload))


Case = Callable[[Any, Peer, Record], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    library: Legacy, handler: Callable[[Any], Awaitable[None]], **options: Any
) -> AsyncIterator[int]:
    """Serve on a free port of the loopback, without compression unless it is asked for."""
    server = await library.server.serve(
        handler, "127.0.0.1", 0, **{"compression": None, "close_timeout": BOUND, **options}
    )
    async with closing_at_exit(server):
        yield port_of(server)


async def run_case(library: Legacy, case: Case, **options: Any) -> list[Any]:
    """Run a case in the handler of a server; return its events, then those of the peer."""
    record = Record()
    ready: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def handler(websocket: Any) -> None:
        try:
            await case(websocket, await ready, record)
        except Exception as exc:
            record.note("handler raised", describe(exc))
        done.set()
        await websocket.close()
        record.state(websocket)

    async with serving(library, handler, **options) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST + b"\r\n")
        async with asyncio.timeout(BOUND):
            await reader.readuntil(b"\r\n\r\n")
            peer = Peer(reader, writer)
            ready.set_result(peer)
            await done.wait()
        await peer.end()
    return [*record.events, *peer.record.events]


async def same(case: Case, **options: Any) -> list[Any]:
    """Run a case with both libraries, which must record the same; return the record."""
    model = await run_case(MODEL, case, **options)
    assert await run_case(OURS, case, **options) == model
    return model
