"""Runs programs as their readers do: each in a process of its own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

BOUND = 20.0  # seconds that a program may take
ROOT = Path(__file__).parents[2]


async def start(*arguments: object) -> asyncio.subprocess.Process:
    """Start Python with these arguments; what it prints can be read from `stdout`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-W", "error", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


async def run(*arguments: object) -> list[str]:
    """The lines that a program prints; it must succeed."""
    process = await start(*arguments)
    try:
        async with asyncio.timeout(BOUND):
            output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.communicate()
        raise
    text = output.decode()
    assert process.returncode == 0, text
    return text.splitlines()


@contextlib.asynccontextmanager
async def running(*arguments: object) -> AsyncIterator[asyncio.StreamReader]:
    """A program that runs until the block ends, and what it prints."""
    process = await start(*arguments)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line_of(output: asyncio.StreamReader) -> str:
    """The next line that a running program prints."""
    async with asyncio.timeout(BOUND):
        return (await output.readline()).decode().rstrip("\n")
