"""Giving bytes to protocols of both kinds."""

import asyncio

import pytest

from wsproxy.feed_protocol import deliver


class Plain(asyncio.Protocol):
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)


class Buffered(asyncio.BufferedProtocol):
    def __init__(self, size: int) -> None:
        self.pieces: list[bytes] = []
        self.hints: list[int] = []
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.hints.append(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.pieces.append(bytes(self.buffer[:nbytes]))


def test_plain() -> None:
    protocol = Plain()
    deliver(protocol, b"abcdefg")
    assert protocol.pieces == [b"abcdefg"]


@pytest.mark.parametrize(
    ("size", "pieces"), [(3, [b"abc", b"def", b"g"]), (7, [b"abcdefg"]), (9, [b"abcdefg"])]
)
def test_buffered(size: int, pieces: list[bytes]) -> None:
    protocol = Buffered(size)
    deliver(protocol, b"abcdefg")
    assert protocol.pieces == pieces
    assert protocol.hints[0] == 7
