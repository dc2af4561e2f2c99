"""Tests of `wscompat.legacy.sending`: broadcasts; `test_protocol` has the fragments."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, Peer, Record, run_case

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


@BOTH
async def test_broadcast(library: Legacy, caplog: pytest.LogCaptureFixture) -> None:
    go_on = asyncio.Event()

    async def fragments() -> AsyncIterator[str]:
        yield "a"
        await go_on.wait()

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        broadcast = library.server.broadcast
        unconnected = library.protocol.WebSocketCommonProtocol()
        broadcast([websocket, unconnected], "text")
        broadcast(iter([websocket]), bytearray(b"bytes"))
        await peer.frames(2)
        sending = asyncio.ensure_future(websocket.send(fragments()))
        await peer.frames(1)
        broadcast([websocket], "skipped")
        try:
            broadcast([websocket], "skipped", raise_exceptions=True)
        except ExceptionGroup as group:
            record.note(str(group), [str(exc) for exc in group.exceptions])
        go_on.set()
        await sending

    events = await run_case(library, case)
    assert events[0] == (
        "skipped broadcast (1 sub-exception)",
        ["sending a fragmented message"],
    )
    assert "skipped broadcast: sending a fragmented message" in caplog.text
    assert ("frame 81", b"text") in events
    assert ("frame 82", b"bytes") in events
    assert "skipped" not in str(events[2:])


@BOTH
@pytest.mark.parametrize("message", [3, None, ["a"]])
def test_broadcasting_other_types(library: Legacy, message: Any) -> None:
    with pytest.raises(TypeError, match="data must be str or bytes-like"):
        library.server.broadcast([], message)


async def test_fragments_whose_connection_closes() -> None:
    """The model raises its error for an impossible state."""

    async def fragments(peer: Peer) -> AsyncIterator[str]:
        yield "a"
        peer.send(b"\x88\x82\0\0\0\0\x03\xe8")
        await asyncio.wait_for(peer.rest(), 5)
        yield "b"

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(fragments(peer)))

    assert "ConnectionClosedOK" in str(await run_case(OURS, case))


async def test_peer_that_closes_before_the_last_fragment_is_known_to_be_the_last() -> None:
    async def fragments(peer: Peer) -> AsyncIterator[str]:
        yield "a"
        peer.send(b"\x88\x82\0\0\0\0\x03\xe8")
        await asyncio.wait_for(peer.rest(), 5)

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(fragments(peer)))

    assert "InvalidState" in str(await run_case(MODEL, case))  # for a state thought impossible
    assert "ConnectionClosedOK" in str(await run_case(OURS, case))
