"""Broadcasts of the legacy API; `test_protocol` has the rest of its module."""

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
