"""What type checkers know of wscore's servers, on each Python; nothing runs this.

The session ``typing`` of nox checks it.
"""

import asyncio

from wscore import WSListener, ws_create_server

__all__ = ["start_server", "use_server"]


async def use_server() -> None:
    """Use a server as each of the types that it may be annotated with."""
    server = await ws_create_server(lambda _: WSListener(), "127.0.0.1", 0)
    server.close_clients()
    server.abort_clients()
    plain: asyncio.Server = server
    abstract: asyncio.AbstractServer = plain
    abstract.close()


async def start_server() -> asyncio.Server:
    """Start a server, and call it what it was called before."""
    return await asyncio.create_task(ws_create_server(lambda _: WSListener(), "127.0.0.1", 0))
