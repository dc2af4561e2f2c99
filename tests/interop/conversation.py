"""What every client says to every server, and what must come back.

The list is fixed and the same for all, so that every pair is judged alike; every byte of every
reply is compared. Every wait is bounded: silence is a fault of the pair, not of the program.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.interop.endpoints import (
    ASK_CLOSE,
    ASK_FRAGMENTS,
    ASK_PING,
    SERVER_CLOSE,
    SERVER_FRAGMENTS,
    SERVER_PING,
    Burst,
    Client,
    Close,
    Message,
    Mismatch,
    pong_report,
)

# How long a peer may take for one exchange, in seconds.
PATIENCE = 5.0

# The sizes around the two places where the length of a frame changes its form (RFC 6455, 5.2).
SIZES = (125, 126, 65535, 65536)

CLIENT_CLOSE = Close(4001, "tschüss ✓")

_SHOWN = 40


@dataclass(frozen=True)
class Echo:
    """A message that must come back as it is."""

    title: str
    message: Message


@dataclass
class Tally:
    """What a conversation has proved so far.

    Attributes:
        messages: replies that were compared and found right, those of the burst included.
        round_trips: round trips of the burst.
        seconds: what the burst took.
    """

    messages: int = 0
    round_trips: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Return the round trips per second of the burst, or 0 if there was none."""
        return self.round_trips / self.seconds if self.seconds else 0.0


def text_of(size: int) -> str:
    """Return text of as many bytes in UTF-8, with characters of one to four bytes."""
    pattern = "aé€😀"
    whole, rest = divmod(size, len(pattern.encode()))
    return pattern * whole + "x" * rest


def bytes_of(size: int) -> bytes:
    """Return as many bytes, without a period and the same in every run."""
    return random.Random(size).randbytes(size)


ECHOES = (
    Echo("text, not all of it ASCII", "Grüße – 你好 – 👋\0!"),
    Echo("binary, every byte", bytes(range(256))),
    Echo("empty text", ""),
    Echo("empty binary", b""),
    *(Echo(f"text of {size} bytes", text_of(size)) for size in SIZES),
    *(Echo(f"binary of {size} bytes", bytes_of(size)) for size in SIZES),
)

TEXT_FRAGMENTS = ("Zer", "", "legt: ä", "€😀", text_of(126))
BINARY_FRAGMENTS = (bytes_of(1), bytes_of(70000), bytes_of(125))
# Sent all at once, so that one read of the other side holds many frames and a part of one.
IN_FLIGHT = tuple(bytes_of(size) for size in range(0, 400, 3))
PINGS = (b"", bytes_of(20), bytes_of(125))


async def converse(
    client: Client, closed: Callable[[], Awaitable[Close | None]], seconds: float, tally: Tally
) -> None:
    """Hold the whole conversation up to and including the close that the client begins.

    Args:
        client: a fresh connection.
        closed: waits for the server to report the end of this connection.
        seconds: how long the burst shall last; 0 for none.
        tally: is filled in, also when the conversation fails halfway.

    Raises:
        Mismatch: something came back that is not what it should be.
        Exception: whatever the client's library raises.
    """
    for echo in ECHOES:
        async with _step(echo.title, tally):
            await client.send(echo.message)
            compare(echo.title, echo.message, await client.receive())
    async with _step("many messages in flight", tally) as title:
        for message in IN_FLIGHT:
            await client.send(message)
        for number, message in enumerate(IN_FLIGHT):
            compare(f"{title}, number {number}", message, await client.receive())
        tally.messages += len(IN_FLIGHT) - 1
    await _fragments(client, tally)
    await _pings(client, tally)
    if seconds:
        await _burst(client, Burst(seconds), tally)
    async with _step("close by the client", tally):
        answer = await client.close(CLIENT_CLOSE)
        compare_close("close by the client, the server's answer", CLIENT_CLOSE, answer)
        compare_close("close by the client, as the server saw it", CLIENT_CLOSE, await closed())


async def be_closed(
    client: Client, closed: Callable[[], Awaitable[Close | None]], tally: Tally
) -> None:
    """Let the server begin the close, and see that the client answers it.

    Args:
        client: a fresh connection.
        closed: waits for the server to report the end of this connection.
        tally: is filled in.

    Raises:
        Mismatch: one of the two saw another close than was sent.
        Exception: whatever the client's library raises.
    """
    async with _step("close by the server", tally):
        await client.send(ASK_CLOSE)
        seen = await client.wait_closed()
        compare_close("close by the server, as the client saw it", SERVER_CLOSE, seen)
        compare_close("close by the server, the client's answer", SERVER_CLOSE, await closed())


async def _fragments(client: Client, tally: Tally) -> None:
    async with _step("text in fragments", tally) as title:
        await client.send_fragments(TEXT_FRAGMENTS)
        compare(title, "".join(TEXT_FRAGMENTS), await client.receive())
    async with _step("binary in fragments", tally) as title:
        await client.send_fragments(BINARY_FRAGMENTS)
        compare(title, b"".join(BINARY_FRAGMENTS), await client.receive())
    async with _step("ping between fragments", tally) as title:
        pong = await client.send_fragments_around_ping(TEXT_FRAGMENTS, PINGS[1])
        compare(f"{title}, the pong", PINGS[1], pong)
        compare(title, "".join(TEXT_FRAGMENTS), await client.receive())
    async with _step("fragments from the server", tally) as title:
        await client.send(ASK_FRAGMENTS)
        compare(title, "".join(SERVER_FRAGMENTS), await client.receive())


async def _pings(client: Client, tally: Tally) -> None:
    for payload in PINGS:
        async with _step(f"ping with {len(payload)} bytes", tally) as title:
            compare(title, payload, await client.ping(payload))
    async with _step("ping from the server", tally) as title:
        await client.send(ASK_PING)
        compare(title, pong_report(SERVER_PING), await client.receive())


async def _burst(client: Client, burst: Burst, tally: Tally) -> None:
    patience = PATIENCE + burst.wanted
    try:
        async with asyncio.timeout(patience):
            await client.burst(burst)
    except TimeoutError:
        raise Mismatch("burst", f"its end within {patience} s", "silence") from None
    finally:
        tally.messages += burst.round_trips
        tally.round_trips, tally.seconds = burst.round_trips, burst.seconds


@asynccontextmanager
async def _step(title: str, tally: Tally) -> AsyncIterator[str]:
    """Bound an exchange in time, name it in every failure, and count it once it has passed."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield title
    except TimeoutError:
        raise Mismatch(title, f"its end within {PATIENCE} s", "silence") from None
    except Mismatch:
        raise
    except Exception as error:
        error.add_note(f"during: {title}")
        raise
    tally.messages += 1


def compare(title: str, expected: Message, got: object) -> None:
    """Compare a reply with what it should be, its type included.

    Raises:
        Mismatch: they differ; it says where.
    """
    if type(expected) is type(got) and expected == got:
        return
    if not isinstance(got, str | bytes):
        raise Mismatch(title, shorten(expected), repr(got))
    place = _difference(expected, got)
    raise Mismatch(title, shorten(expected, place), shorten(got, place))


def compare_close(title: str, expected: Close, got: Close | None) -> None:
    """Compare what a CLOSE frame carried; None stands for one that never came.

    Raises:
        Mismatch: they differ.
    """
    if got != expected:
        raise Mismatch(title, repr(tuple(expected)), repr(got and tuple(got)))


def shorten(message: Message, place: int = 0) -> str:
    """Describe a message by its kind, its size and the part that begins at a place."""
    unit = "characters" if isinstance(message, str) else "bytes"
    start = max(0, place - _SHOWN // 4)
    part = repr(message[start : start + _SHOWN])
    before, after = "..." if start else "", "..." if start + _SHOWN < len(message) else ""
    where = f" at {place}" if place else ""
    return f"{type(message).__name__} of {len(message)} {unit}{where} {before}{part}{after}"


def _difference(one: Message, other: Message) -> int:
    if type(one) is not type(other):
        return 0
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
