"""What a client and an echo server of any library must be able to do to take part.

Interfaces and the words that both ends agree on; it must never import a WebSocket library. A
server echoes every message, but answers the three requests named here in the way told there.
"""

import contextlib
import importlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Message = str | bytes
Fragments = Sequence[Message]  # all of one type

HOST = "127.0.0.1"

# Asks the server for `SERVER_FRAGMENTS` as one text message of as many frames.
ASK_FRAGMENTS = "interop: fragments"
# Asks the server for a ping with `SERVER_PING`, and then for `pong_report` of what came back.
ASK_PING = "interop: ping"
# Asks the server to begin a closing handshake with `SERVER_CLOSE`.
ASK_CLOSE = "interop: close"

SERVER_FRAGMENTS = ("drüben ", "", "→ hüben", " 🛶")
SERVER_PING = bytes(range(0x80, 0x80 + 64))

# A burst lasts at least this many round trips, however little time it is given.
BURST_LEAST = 20
_BURST_REST = bytes(range(24))


class Close(NamedTuple):
    """What a CLOSE frame carries."""

    code: int
    reason: str


SERVER_CLOSE = Close(4002, "genug für heute")

# Called by a server for every connection that has ended, with the path the client asked for, and
# the CLOSE that came from the client, or None if it left without one.
OnClosed = Callable[[str, Close | None], None]


class Mismatch(Exception):  # noqa: N818
    """A peer did something else than it had to.

    Args:
        title: the exchange in which it happened.
        expected: what should have come, shortened for reading.
        got: what came, shortened for reading.
    """

    def __init__(self, title: str, expected: str, got: str) -> None:
        super().__init__(f"{title}: expected {expected}, got {got}")


class Burst:
    """Small round trips, one after the other, for a given time.

    Each message differs from the one before it, so a lost or repeated reply is noticed.

    Args:
        seconds: how long to go on.
    """

    def __init__(self, seconds: float) -> None:
        self.wanted = seconds
        self.round_trips = 0
        self.seconds = 0.0
        self._expected = b""
        self._started = time.perf_counter()

    def first(self) -> bytes:
        """Start the clock and return the first message to send."""
        self._started = time.perf_counter()
        self._expected = self._message()
        return self._expected

    def answered(self, reply: object) -> bytes | None:
        """Check a reply; return the next message, or None when the time is over.

        Raises:
            Mismatch: the reply is not the message that was sent.
        """
        if reply != self._expected:
            raise Mismatch(f"burst, reply {self.round_trips}", repr(self._expected), repr(reply))
        self.round_trips += 1
        self.seconds = time.perf_counter() - self._started
        if self.seconds >= self.wanted and self.round_trips >= BURST_LEAST:
            return None
        self._expected = self._message()
        return self._expected

    def _message(self) -> bytes:
        return self.round_trips.to_bytes(8, "big") + _BURST_REST


class Client(Protocol):
    """One open connection. Every method raises when the connection ends before its job is done."""

    async def send(self, message: Message) -> None:
        """Send one message in one frame: text for `str`, binary for `bytes`."""

    async def send_fragments(self, fragments: Fragments) -> None:
        """Send one message, with a frame for every fragment."""

    async def send_fragments_around_ping(self, fragments: Fragments, payload: bytes) -> bytes:
        """Do the same with a ping after the first fragment; return the payload of its pong."""

    async def receive(self) -> Message:
        """Return the next whole message."""

    async def ping(self, payload: bytes) -> bytes:
        """Send a ping and return the payload of the pong that answers it."""

    async def burst(self, burst: Burst) -> None:
        """Do the round trips of the burst in the library's fastest ordinary way."""

    async def close(self, close: Close) -> Close | None:
        """Begin and finish the closing handshake; return the CLOSE that the server answered."""

    async def wait_closed(self) -> Close | None:
        """Wait for a closing handshake begun by the server; return the CLOSE it sent."""


class Connect(Protocol):
    """Opens a connection, and ends it in any case when its block is left."""

    def __call__(
        self, url: str, *, tls: ssl.SSLContext | None, proxy: str | None
    ) -> AbstractAsyncContextManager[Client]: ...


class Serve(Protocol):
    """Runs an echo server on a free port of `HOST`, and gives that port."""

    def __call__(
        self, *, tls: ssl.SSLContext | None, on_closed: OnClosed
    ) -> AbstractAsyncContextManager[int]: ...


@dataclass(frozen=True)
class Peer:
    """One library that takes part."""

    name: str
    connect: Connect
    serve: Serve


class Ports(NamedTuple):
    """Where the echo server of one peer listens."""

    plain: int
    tls: int


def load_peer(name: str) -> Peer:
    """Import a peer.

    Args:
        name: the short name of one that is here, such as `picows`, or `module:attribute` for one
            that is anywhere else.

    Raises:
        ImportError: the module, or the library it stands for, is not there.
        AttributeError: the module has no such attribute.
    """
    module, _, attribute = name.partition(":")
    if not attribute:
        module, attribute = f"{__package__}.peer_{name}", "PEER"
    peer = getattr(importlib.import_module(module), attribute)
    assert isinstance(peer, Peer)
    return peer


@contextlib.asynccontextmanager
async def serve_both(peer: Peer, tls: ssl.SSLContext, on_closed: OnClosed) -> AsyncIterator[Ports]:
    """Run the echo server of a peer twice in the current loop, without TLS and with it."""
    async with (
        peer.serve(tls=None, on_closed=on_closed) as plain,
        peer.serve(tls=tls, on_closed=on_closed) as secure,
    ):
        yield Ports(plain, secure)


def pong_report(payload: bytes) -> str:
    """Return what a server says, asked for a ping, about the pong that came."""
    return f"interop: pong {payload.hex()}"
