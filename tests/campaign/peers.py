"""The APIs that take part, by name, each made to look like a `Connection`.

`connect` and `serve` choose between the modules beside this one, which import no package before
they are asked to.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

__all__ = ["FAMILIES", "Closed", "Connection", "Handler", "connect", "reset", "serve"]

# What runs together, and against which figures are compared.
FAMILIES = {
    "ours": (
        "wscore.frames",
        "wscore.messages",
        "wscore.reader",
        "wscompat.asyncio",
        "wscompat.legacy",
    ),
    "websockets": ("websockets.asyncio", "websockets.legacy"),
    "picows": ("picows.frames",),
}

MAX_SIZE = 8 << 20
OPEN_TIMEOUT = 20
CLOSE_TIMEOUT = 30
# A peer that is gone without a word is noticed after their sum at the latest.
PING_INTERVAL = 5
PING_TIMEOUT = 15


class Closed(Exception):  # noqa: N818 - it is not an error
    """The connection is closed, or closing, so that nothing can be sent or no more will come."""


class Connection(Protocol):
    """What a dialogue needs."""

    async def send(self, message: str | bytes) -> None: ...

    async def send_fragments(self, parts: list[str] | list[bytes]) -> None: ...

    async def recv(self) -> str | bytes: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...

    def end(self, how: str) -> None: ...

    def codes(self) -> tuple[int | None, int | None]: ...


Handler = Callable[[Connection, str], Awaitable[None]]


def _module(api: str) -> object:
    from tests.campaign import core_api, websockets_api

    return core_api if api.startswith(("wscore", "picows")) else websockets_api


@contextlib.asynccontextmanager
async def connect(
    api: str, url: str, *, tls: ssl.SSLContext | None, compression: bool
) -> AsyncIterator[Connection]:
    """Open a connection with an API."""
    async with _module(api).connect(api, url, tls=tls, compression=compression) as connection:
        yield connection


@contextlib.asynccontextmanager
async def serve(
    api: str, handler: Handler, listening: socket.socket, *, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Serve on a listening socket with an API; at the end connections are closed."""
    async with _module(api).serve(api, handler, listening, tls=tls):
        yield


def reset(transport: asyncio.BaseTransport) -> None:
    """Have the system reset the connection when its socket is closed, without sending the rest."""
    known = transport.get_extra_info("socket")
    if known is None:
        return  # it is lost already
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(known.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
