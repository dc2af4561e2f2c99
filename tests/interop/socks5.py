"""Runs a real SOCKS5 proxy on loopback: microsocks where it is installed, tiny-proxy otherwise.

The proxies are programs of others; nothing of the packages under test may take part in them. Run
as a program, this file is the process around tiny-proxy, and ends when its standard input does.
"""

import asyncio
import contextlib
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.interop.endpoints import HOST
from tests.interop.servers import PROCESS_PATIENCE, last_line, module_process

MICROSOCKS = "microsocks"
TINY_PROXY = "tiny-proxy"

# microsocks does not tell when it listens, so it is asked this often, in seconds.
_ASK_AGAIN = 0.01


def best_proxy() -> str:
    """Return the name of the proxy to use on this machine."""
    return MICROSOCKS if shutil.which(MICROSOCKS) else TINY_PROXY


@contextlib.asynccontextmanager
async def socks5_proxy(log_file: Path, name: str | None = None) -> AsyncIterator[str]:
    """Run a proxy without authentication, and give its URL.

    Args:
        log_file: takes what the proxy writes to its standard error.
        name: which one; `best_proxy()` if it is not given.

    Raises:
        RuntimeError: it ended before it listened.
        TimeoutError: it did not listen in time.
    """
    run = _microsocks if (name or best_proxy()) == MICROSOCKS else _tiny_proxy
    async with run(log_file) as port:
        yield f"socks5://{HOST}:{port}"


@contextlib.contextmanager
def dead_proxy() -> Iterator[str]:
    """Give the URL of a proxy that refuses connections: its port is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield f"socks5://{HOST}:{taken.getsockname()[1]}"


@contextlib.asynccontextmanager
async def _microsocks(log_file: Path) -> AsyncIterator[int]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(MICROSOCKS, "-i", HOST, "-p", str(port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(PROCESS_PATIENCE):
            while not await _listens(port):
                if process.returncode is not None:
                    raise RuntimeError(f"{MICROSOCKS} did not start: {last_line(log_file)}")
                await asyncio.sleep(_ASK_AGAIN)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@contextlib.asynccontextmanager
async def _tiny_proxy(log_file: Path) -> AsyncIterator[int]:
    async with module_process("tests.interop.socks5", log_file=log_file) as process:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PROCESS_PATIENCE)
        if not line:
            raise RuntimeError(f"{TINY_PROXY} did not start: {last_line(log_file)}")
        yield int(line)


async def _serve_tiny_proxy() -> None:
    import anyio
    import anyio.abc
    import tiny_proxy  # type: ignore[import-untyped]

    handler = tiny_proxy.Socks5ProxyHandler()
    listener = await anyio.create_tcp_listener(local_host=HOST, local_port=0)
    print(listener.extra(anyio.abc.SocketAttribute.local_port), flush=True)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handler.handle)
        await anyio.to_thread.run_sync(sys.stdin.buffer.read)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    asyncio.run(_serve_tiny_proxy())
