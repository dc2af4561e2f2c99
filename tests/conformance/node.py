"""Starts the programs of this folder that run on Node, with the package `ws` from the npm registry.

`ws` is looked for where `WS_TESTS_NODE_MODULES` says, which `nox -s conformance` sets.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

VARIABLE = "WS_TESTS_NODE_MODULES"
HERE = Path(__file__).parent


def missing() -> str | None:
    """Return what is not installed here, or None if everything is."""
    if not shutil.which("node"):
        return "node is not installed"
    modules = os.environ.get(VARIABLE)
    if not modules or not Path(modules, "ws").is_dir():
        return f"{VARIABLE} does not name a node_modules folder with ws in it"
    return None


@contextlib.asynccontextmanager
async def node(program: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program with pipes to talk to it, ended with the block."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(HERE / program), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_PATH": os.environ[VARIABLE]},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.communicate()
