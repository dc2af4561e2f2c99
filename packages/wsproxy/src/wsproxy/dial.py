"""Connect a socket to a host that may have several addresses ("happy eyeballs", RFC 8305).

Whatever happens, including cancellation, only the returned socket may stay open.
"""

import asyncio
import socket
from collections.abc import Sequence

from .resolve import Address, resolve
from .target import Target

__all__ = ["ATTEMPT_DELAY", "connect_first", "dial"]

# Seconds an attempt may take before the next one is started in parallel (RFC 8305, section 5).
ATTEMPT_DELAY = 0.25


async def dial(target: Target) -> socket.socket:
    """Return a connected, non-blocking socket with Nagle's algorithm turned off.

    Addresses are tried in the resolver's order, alternating between families. When an attempt
    fails, or takes longer than `ATTEMPT_DELAY`, the next one starts; the first connection wins.

    Raises:
        OSError: the name does not resolve, or no attempt succeeded; the first failure, with the
            others in its notes.
    """
    return await connect_first(await resolve(target))


async def connect_first(addresses: Sequence[Address]) -> socket.socket:
    """Do the same as `dial()` for known addresses; there must be at least one."""
    sock = await (_attempt(addresses[0]) if len(addresses) == 1 else _race(addresses))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def _attempt(address: Address) -> socket.socket:
    family, kind, protocol, _name, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


async def _race(addresses: Sequence[Address]) -> socket.socket:
    """Start attempts one after the other, overlapping, and return the first connection."""
    waiting = list(reversed(addresses))
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[OSError] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(_attempt(waiting.pop())))
            done, _ = await asyncio.wait(
                running,
                timeout=ATTEMPT_DELAY if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                running.discard(task)
                try:
                    return task.result()
                except OSError as exc:
                    errors.append(exc)
    finally:
        await _give_up(running)
    for other in errors[1:]:
        errors[0].add_note(f"also tried: {other}")
    raise errors[0]


async def _give_up(attempts: set[asyncio.Task[socket.socket]]) -> None:
    """Cancel the remaining attempts; close one that has just succeeded."""
    for task in attempts:
        # A callback, because the wait below may itself be cancelled.
        task.add_done_callback(_discard)
        task.cancel()
    if attempts:
        await asyncio.wait(attempts)


def _discard(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
