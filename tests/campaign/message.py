"""The messages of the campaign: numbered, checksummed, of any size, text or binary.

A message begins with a line of its connection, direction, number, and how many messages its sender
has received so far, which acknowledges them; then there is a body. The checksum is of all the rest.
"""

import random
import zlib
from dataclasses import dataclass

__all__ = ["ChangedError", "Message", "build", "parse"]

POOL_SIZE = 1 << 21
_RANDOM = random.Random(4711)
# Half of it compresses well, half not at all.
_WORDS = [f"word{number} " for number in range(200)] + ["Grüße ", "日本語 ", "👍 "]
_BINARY = _RANDOM.randbytes(POOL_SIZE // 2) + "".join(
    _RANDOM.choices(_WORDS, k=POOL_SIZE // 14)
).encode().ljust(POOL_SIZE // 2, b".")
_TEXT = "".join(_RANDOM.choices(_WORDS, k=POOL_SIZE // 6)).ljust(POOL_SIZE, "ß")


class ChangedError(Exception):
    """A message is not as it was sent."""


@dataclass(frozen=True)
class Message:
    """What a message says.

    Attributes:
        connection: of which it is, and in which direction.
        number: counts from 0 in each direction.
        acknowledged: how many messages its sender had received.
    """

    connection: str
    number: int
    acknowledged: int


def build(message: Message, size: int, is_text: bool, rng: random.Random) -> str | bytes:
    """Return a message with a body of this size, in characters if it is text, else in bytes."""
    start = rng.randrange(POOL_SIZE - size)
    line = f"{message.connection} {message.number} {message.acknowledged} {size}"
    if is_text:
        body = _TEXT[start : start + size]
        return f"{line} {_checksum(line, body.encode()):08x}\n{body}"
    content = _BINARY[start : start + size]
    return f"{line} {_checksum(line, content):08x}\n".encode() + content


def parse(received: str | bytes) -> Message:
    """Return what a received message says.

    Raises:
        ChangedError: if it is not as `build` made it.
    """
    if isinstance(received, str):
        head, _, text = received.partition("\n")
        length, body = len(text), text.encode()
    else:
        start, _, body = bytes(received).partition(b"\n")
        head, length = start.decode("latin-1"), len(body)
    line, _, checksum = head.rpartition(" ")
    fields = line.split(" ")
    if len(fields) != 4 or fields[3] != str(length) or checksum != f"{_checksum(line, body):08x}":
        raise ChangedError(f"{len(received)} long, begins with {received[:80]!r}")
    return Message(fields[0], int(fields[1]), int(fields[2]))


def _checksum(line: str, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(line.encode()))
