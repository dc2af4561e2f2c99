"""Deflate data as peers may send it, and what every inflater must make of it.

Each case is inflated whole, in halves, and byte by byte, by each engine and by the extension of
wscompat.
"""

import random
import zlib
from dataclasses import dataclass

TAIL = b"\x00\x00\xff\xff"
LINES = b"".join(b"%d: one line of many\n" % (i % 7) for i in range(40))


@dataclass(frozen=True)
class Case:
    """Messages of one connection.

    Attributes:
        name: of the case.
        packed: the payloads.
        expected: what they are, up to the first one that is corrupt.
        is_corrupt: whether one more is.
    """

    name: str
    packed: tuple[bytes, ...]
    expected: tuple[bytes, ...]
    is_corrupt: bool = False

    def __str__(self) -> str:
        return self.name


class Packer:
    """A peer's compressor.

    Args:
        bits: of its window.
        past: what its first message refers to.
    """

    def __init__(self, bits: int = 15, past: bytes = b"") -> None:
        self._stream = zlib.compressobj(6, zlib.DEFLATED, -bits, zdict=past)

    def __call__(self, data: bytes) -> bytes:
        """Compress the next message."""
        packed = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return packed.removesuffix(TAIL)

    def last(self, data: bytes) -> bytes:
        """Compress it, and end the stream."""
        return self._stream.compress(data) + self._stream.flush()


def ended(data: bytes) -> bytes:
    """Blocks of which the last is marked as such (RFC 7692, 7.2.3.4)."""
    return Packer().last(data)


def flushed(data: bytes) -> bytes:
    """Blocks of a compressor that goes on."""
    return Packer()(data)


def pieces(packed: bytes, count: int) -> list[bytes]:
    """About so many parts; 0 for single bytes of short ones."""
    size = max(1, -(-len(packed) // (count or min(len(packed), 100))))
    return [packed[i : i + size] for i in range(0, len(packed), size)]


def cases() -> list[Case]:
    """All there are."""
    noise = random.Random(5).randbytes(300)
    text = LINES * 100
    one, other = Packer(), Packer()
    went_on = (one(LINES), one(LINES + noise), one.last(noise) + other(LINES), other(noise + LINES))
    return [
        Case("goes on with blocks", (ended(b"abc") + flushed(b"def"),), (b"abcdef",)),
        Case("ends twice", (ended(b"abc") + ended(b"def") + b"\0",), (b"abcdef",)),
        Case("ends with the message", (ended(b"abc"), flushed(b"def")), (b"abc", b"def")),
        Case("ends twice, too", (ended(b"abc") + ended(b"def"), ended(b"x")), (b"abcdef", b"x")),
        Case("as in the RFC", (ended(b"Hello") + b"\0", flushed(b"a")), (b"Hello", b"a")),
        Case("of nothing", (b"\x03\x00", b"\x03\x00\x00", flushed(b"a")), (b"", b"", b"a")),
        Case(
            "refers to what came before",
            went_on,
            (LINES, LINES + noise, noise + LINES, noise + LINES),
        ),
        Case("long", (ended(text) + flushed(text), flushed(noise)), (text * 2, noise)),
        Case("often", (b"\x03\x00" * 128 + flushed(b"a"),), (b"a",)),
        Case("too often", (flushed(b"a"), b"\x03\x00" * 129 + b"\0"), (b"a",), True),
        Case(
            "refers beyond a last block",
            (flushed(b"a"), ended(LINES) + Packer(past=LINES)(LINES)),
            (b"a",),
            True,
        ),
        Case(
            "refers to a message before a last block",
            (ended(LINES) + b"\0", Packer(past=LINES)(LINES)),
            (LINES,),
            True,
        ),
        Case("garbage behind a last block", (ended(b"abc") + b"\xff\xff",), (), True),
    ]


CASES = cases()
