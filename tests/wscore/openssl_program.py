"""OpenSSL's command, as a peer that was written by somebody else."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from tests.wscore.recorder import BOUND


@contextlib.asynccontextmanager
async def openssl(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one of OpenSSL's programs."""
    process = await asyncio.create_subprocess_exec(
        "openssl",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def say(process: asyncio.subprocess.Process, data: bytes) -> None:
    """Type something."""
    assert process.stdin is not None
    process.stdin.write(data)
    await process.stdin.drain()


async def hear(process: asyncio.subprocess.Process, expected: bytes) -> bytes:
    """All that it says up to some bytes, and what comes with them."""
    assert process.stdout is not None
    heard = b""
    async with asyncio.timeout(BOUND):
        while expected not in heard:
            data = await process.stdout.read(65536)
            assert data, heard
            heard += data
    return heard


async def hear_line(process: asyncio.subprocess.Process, beginning: bytes) -> bytes:
    """Wait for a line."""
    assert process.stdout is not None
    async with asyncio.timeout(BOUND):
        while not (line := await process.stdout.readline()).startswith(beginning):
            assert line
    return line
