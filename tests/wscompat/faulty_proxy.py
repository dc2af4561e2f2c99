"""One misbehaving proxy for both libraries, and the record of what each does with it.

The records hold the requests to the proxy, the exception, and whether the iterator would
try again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.own_proxies import serving
from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, describe


@dataclass
class Attempt:
    """The behaviour of a library with a proxy: its requests, and its exception."""

    received: list[bytes] = field(default_factory=list)
    raised: str = ""
    retries: bool = False


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@contextlib.asynccontextmanager
async def listened_to(answer: Answer, received: list[bytes], tls: Any = None) -> AsyncIterator[int]:
    """Run a proxy that records the requests it receives."""

    class Overheard(asyncio.StreamReader):
        def feed_data(self, data: bytes) -> None:
            received.append(bytes(data))
            super().feed_data(data)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        overheard = Overheard()

        async def listen() -> None:
            while data := await reader.read(65536):
                overheard.feed_data(data)
            overheard.feed_eof()

        task = asyncio.ensure_future(listen())
        try:
            await answer(overheard, writer)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async with serving(talk, tls=tls) as port:
        yield port


async def attempt(
    library: Library, answer: Answer, scheme: str, uri: str, tls: Any, **options: Any
) -> Attempt:
    """Connect through such a proxy, which fails."""
    record = Attempt()
    credentials = options.pop("credentials", "")
    async with listened_to(answer, record.received, tls) as port:
        proxy = f"{scheme}://{credentials}localhost:{port}"
        options = {"compression": None, "open_timeout": 5, "user_agent_header": "me", **options}
        with pytest.raises(Exception) as caught:
            await library.connect(uri, proxy=proxy, **options)
        record.raised = describe(caught.value).replace(str(port), "PORT")
        record.retries = library.process_exception(caught.value) is None
    return record


async def compare(
    answer: Answer, scheme: str, uri: str = "ws://localhost:4321/", **options: Any
) -> None:
    """Check that both libraries do the same."""
    tls = options.pop("tls", None)
    expected = await attempt(WEBSOCKETS, answer, scheme, uri, tls, **options)
    assert await attempt(WSCOMPAT, answer, scheme, uri, tls, **options) == expected
    assert ("timed out" in expected.raised) == ("open_timeout" in options)
