"""Sending in parts, and parts that go wrong, compared with websockets on either side."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.wscompat.libraries import MODEL, PAIRS, Pair, Record, converse
from wscompat.fragments import contiguous


async def echo(connection: Any, record: Record) -> None:
    with contextlib.suppress(Exception):
        async for message in connection:
            await connection.send(message)
    await record.end(connection)


class Unwilling:
    """An iterable that cannot be iterated over."""

    def __iter__(self) -> Iterator[str]:
        raise ValueError("not at all")


def never() -> Iterator[str]:
    yield from Unwilling()


async def never_ever() -> AsyncIterator[str]:
    raise ValueError("not at all")
    yield ""


async def items(*fragments: Any) -> AsyncIterator[Any]:
    for fragment in fragments:
        yield fragment


async def fail_before_the_first(connection: Any, record: Record) -> None:
    for message in (Unwilling(), never(), never_ever()):
        await record.attempt(connection.send(message))
        record.note(connection.state.name)
    await connection.send("still here")
    record.note(await connection.recv())


async def send_pieces(connection: Any, record: Record) -> None:
    view = memoryview(b"abcdef")
    for message in (view[::2], [view[::2], b"g"], items(b"x", view[::-1])):
        await connection.send(message)
        record.note(await connection.recv())


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("script", [fail_before_the_first, send_pieces], ids=["fail", "pieces"])
async def test_same_as_the_model(pair: Pair, script: Any) -> None:
    assert await converse(pair, script, echo) == await converse(MODEL, script, echo)


async def end_after_the_peer(connection: Any, record: Record) -> None:
    """Close the peer before the last fragment is known to be the last."""

    async def fragments() -> AsyncIterator[str]:
        yield "a"
        with contextlib.suppress(Exception):
            await connection.wait_closed()

    await record.attempt(connection.send(fragments()))
    await record.end(connection)


async def close_at_once(connection: Any, record: Record) -> None:
    await connection.close(3000, "bye")


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_peer_that_closes_before_the_end(pair: Pair) -> None:
    found = await converse(pair, end_after_the_peer, close_at_once)
    assert found == await converse(MODEL, end_after_the_peer, close_at_once)
    assert found["client"][0][0] == "raised"


@pytest.mark.parametrize(
    "make",
    [
        lambda: ["a", 3],
        lambda: [b"a", "b"],
        lambda: items("a", None),
        lambda: items(b"a", "b"),
        lambda: items(3),
        lambda: [3],
    ],
    ids=range(6),
)
async def test_wrong_types(make: Any) -> None:
    """The same exception; and the connection is lost, since the message cannot be completed."""

    async def client(connection: Any, record: Record) -> None:
        await record.attempt(connection.send(make()))
        await record.end(connection)

    async def server(connection: Any, record: Record) -> None:
        await record.end(connection)  # the reply to a CLOSE within a message differs in its code

    expected = await converse(MODEL, client, server)
    for pair in PAIRS:
        assert await converse(pair, client, server) == expected


async def test_after_the_end() -> None:
    """Whether a message is of a type that can be sent is looked at first."""

    async def client(connection: Any, record: Record) -> None:
        await connection.close()
        for message in ("a", b"a", ["a"], [], {}, {"a": 1}, 3, None, items("a"), items()):
            await record.attempt(connection.send(message))
        for payload in ("a", 3, "x" * 126):
            await record.attempt(connection.ping(payload))
            await record.attempt(connection.pong(payload))

    async def server(connection: Any, record: Record) -> None:
        await connection.wait_closed()

    expected = await converse(MODEL, client, server)
    for pair in PAIRS:
        assert await converse(pair, client, server) == expected


async def test_one_message_at_a_time() -> None:
    """A message that is sent while the fragments of another one come waits for its end."""

    async def client(connection: Any, record: Record) -> None:
        goes_on = asyncio.Event()

        async def slow() -> AsyncIterator[str]:
            yield "a"
            await goes_on.wait()
            yield "b"

        first = asyncio.ensure_future(connection.send(slow()))
        others = [asyncio.ensure_future(connection.send(other)) for other in ("c", ["d", "e"])]
        await asyncio.sleep(0)
        goes_on.set()
        await asyncio.gather(first, *others)
        for _ in range(3):
            record.note(await connection.recv())

    expected = await converse(MODEL, client, echo)
    for pair in PAIRS:
        assert await converse(pair, client, echo) == expected


def test_contiguous() -> None:
    view = memoryview(b"abcd")
    assert contiguous(view) is view
    assert contiguous("text") == "text"
    assert contiguous(view[::2]) == b"ac"
