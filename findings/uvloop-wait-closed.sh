#!/usr/bin/env bash
# uvloop 0.23.0: wait_closed() of a server returns at once, with its connections still open.
#
# Since Python 3.12.1 asyncio's Server.wait_closed() waits until the server is closed and its last
# connection is gone. The server of uvloop returns as soon as its sockets are closed, on every
# Python. A program that relies on it to know that no handler's connection is left must count them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys

import uvloop


async def waits():
    """Tell whether wait_closed() waits for a connection that stays for half a second."""
    accepted = asyncio.Event()
    transports = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            transports.append(transport)
            accepted.set()

    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await accepted.wait()
    server.close()
    try:
        await asyncio.wait_for(server.wait_closed(), 0.5)
    except TimeoutError:
        return True
    finally:
        writer.close()
        transports[0].abort()
    return False


on_asyncio = asyncio.run(waits())
on_uvloop = uvloop.run(waits())
print(f"Python {sys.version.split()[0]}: waits on asyncio: {on_asyncio}, on uvloop: {on_uvloop}")
assert on_asyncio == (sys.version_info >= (3, 12, 1))
assert not on_uvloop
PYTHON
