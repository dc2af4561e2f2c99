"""`StreamReader` reads what that of websockets reads, in whatever pieces it comes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.wscompat.sansio import WEBSOCKETS, WSCOMPAT, describe

Read = Callable[[Any], Any]


def read(library: Any, read: Read, feeds: list[bytes | None]) -> list[Any]:
    """Resume a reading method after each feed; what comes of it."""
    reader = library.streams.StreamReader()
    reading = read(reader)
    record: list[Any] = []
    for feed in feeds:
        if feed is None:
            reader.feed_eof()
        else:
            reader.feed_data(feed)
        try:
            record.append(next(reading))
        except StopIteration as stop:
            record.append(("returned", stop.value, type(stop.value)))
            break
        except Exception as exc:
            record.append(describe(exc))
            break
    return [*record, bytes(reader.buffer)]


@pytest.mark.parametrize(
    ("method", "feeds"),
    [
        (lambda r: r.read_line(10), [b"abc", b"def\nx"]),
        (lambda r: r.read_line(10), [b"abc", b"\n"]),
        (lambda r: r.read_line(3), [b"ab\n"]),
        (lambda r: r.read_line(3), [b"abc\n"]),
        (lambda r: r.read_line(3), [b"abc", b"d"]),
        (lambda r: r.read_line(3, ValueError), [b"abcd"]),
        (lambda r: r.read_line(3), [b"ab", None]),
        (lambda r: r.read_exact(3), [b"ab", b"cd"]),
        (lambda r: r.read_exact(3), [b"ab", None]),
        (lambda r: r.read_exact(0), [b""]),
        (lambda r: r.read_to_eof(3), [b"ab", None]),
        (lambda r: r.read_to_eof(3), [b"ab", b"cd"]),
        (lambda r: r.read_to_eof(3, ValueError), [b"abcd"]),
        (lambda r: r.at_eof(), [b"", b"", None]),
        (lambda r: r.at_eof(), [b"x"]),
    ],
)
def test_read(method: Read, feeds: list[bytes | None]) -> None:
    assert read(WSCOMPAT, method, feeds) == read(WEBSOCKETS, method, feeds)


def test_end() -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        reader = library.streams.StreamReader()
        reader.feed_data(b"x")
        reader.discard()
        assert not reader.buffer
        reader.feed_eof()
        for feed in (lambda reader=reader: reader.feed_data(b""), reader.feed_eof):
            with pytest.raises(EOFError, match="stream ended"):
                feed()


def test_too_much_at_the_end_is_too_much() -> None:
    """Also if all of it came before the reading began."""
    reader = WSCOMPAT.streams.StreamReader()
    reader.feed_data(b"abcd")
    reader.feed_eof()
    with pytest.raises(RuntimeError, match="read 4 bytes, expected no more than 3 bytes"):
        next(reader.read_to_eof(3))


def test_negative_size() -> None:
    with pytest.raises(ValueError, match="negative"):
        next(WSCOMPAT.streams.StreamReader().read_exact(-1))
