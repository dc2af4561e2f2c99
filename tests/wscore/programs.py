"""Runs Python with given arguments while the test's own loop goes on: `run("-c", program)`."""

import asyncio
import os
import sys

BOUND = 20.0  # seconds that a program may take


async def run(*arguments: object, **environment: str) -> list[str]:
    """Return the lines that a program prints; it must succeed.

    Args:
        arguments: Python's.
        environment: variables beside those that are there.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-W", "error", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )
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
