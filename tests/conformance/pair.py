"""Lets one client hold the conversation of `tests/interop` with one server, and judges it."""

import ssl
from collections.abc import Awaitable, Callable

from tests.interop.conversation import Tally, be_closed, converse
from tests.interop.endpoints import Close, Connect


async def hold(
    connect: Connect,
    url: str,
    closed: Callable[[], Awaitable[Close | None]],
    tls: ssl.SSLContext | None = None,
) -> None:
    """Talk about everything on one connection, and on a second one let the server close.

    Args:
        connect: opens a client's connection.
        url: of the server.
        closed: waits for the server to report the end of the next connection.
        tls: for `wss://`.

    Raises:
        Mismatch: something was not what it should be.
    """
    tally = Tally()
    async with connect(url, tls=tls, proxy=None) as client:
        await converse(client, closed, 0, tally)
    async with connect(url, tls=tls, proxy=None) as client:
        await be_closed(client, closed, tally)
    assert tally.messages
