"""A client's TCP connection: from a host and a port to a connected socket.

Connecting to a literal address needs no resolver and no thread, and to one of this machine no
iteration of the loop. No failure, nor cancellation, may leave a socket behind.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import socket
import sys
from typing import Any

from aiohappyeyeballs import start_connection

__all__ = ["CONNECTING_ARGUMENTS", "connect_socket", "family_of", "prepare"]

HAPPY_EYEBALLS_DELAY = 0.25  # seconds (RFC 8305, 8)

_STARTS_NON_BLOCKING = hasattr(socket, "SOCK_NONBLOCK")
_STREAM = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)
_UNDER_WAY = {errno.EINPROGRESS, errno.EALREADY}


async def connect_socket(
    host: str | None,
    port: int | None,
    *,
    family: int = 0,
    proto: int = 0,
    flags: int = 0,
    local_addr: tuple[str, int] | None = None,
    happy_eyeballs_delay: float | None = HAPPY_EYEBALLS_DELAY,
    interleave: int | None = None,
    all_errors: bool = False,
) -> socket.socket:
    """Connect a socket to the first address of a name that accepts.

    Args:
        host: name or address to connect to.
        port: its port.
        family: of the addresses to try; 0 for all.
        proto: of the socket.
        flags: for the resolver.
        local_addr: host and port to connect from.
        happy_eyeballs_delay: seconds after which the next address is tried in parallel (RFC 8305);
            None to try one after the other.
        interleave: how many addresses of the first family precede those of the next.
        all_errors: whether to raise the errors of all addresses in an `ExceptionGroup` if none
            accepts, like asyncio from Python 3.12 on; they are then tried one after the other.

    Returns:
        The socket, as `prepare` leaves it.

    Raises:
        OSError: if no address could be connected to.
    """
    loop = asyncio.get_running_loop()
    if local_addr is None and not (family or proto or flags or all_errors):
        literal = family_of(host)
        if literal is not None:
            return await _connect(loop, literal, (host, port))
    kind = socket.SOCK_STREAM
    found = await loop.getaddrinfo(host, port, family=family, type=kind, proto=proto, flags=flags)
    local = None
    if local_addr is not None:
        local = await loop.getaddrinfo(
            *local_addr, family=family, type=kind, proto=proto, flags=flags
        )
    if all_errors:
        sock = await _connect_to_one(loop, found, local)
    else:
        sock = await start_connection(
            found,
            local_addr_infos=local,
            happy_eyeballs_delay=happy_eyeballs_delay,
            interleave=interleave,
            loop=loop,
        )
    prepare(sock)
    return sock


#: The arguments of `connect_socket` besides host and port.
CONNECTING_ARGUMENTS = frozenset(inspect.signature(connect_socket).parameters) - {"host", "port"}


def prepare(sock: socket.socket) -> None:
    """Make a socket non-blocking, and disable Nagle's algorithm if it is a TCP socket.

    Args:
        sock: a connected socket.
    """
    sock.setblocking(False)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def family_of(host: object) -> socket.AddressFamily | None:
    """Return the family of a literal address; None for anything that needs the resolver.

    Args:
        host: a name or address.
    """
    if not isinstance(host, str):
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return None
    return family


async def _connect_to_one(
    loop: asyncio.AbstractEventLoop, found: list[Any], local: list[Any] | None
) -> socket.socket:
    """Return a socket connected to the first of the addresses that accepts."""
    errors = []
    for info in found:
        try:
            return await start_connection([info], local_addr_infos=local, loop=loop)
        except OSError as exc:
            errors.append(exc)
    raise ExceptionGroup("create_connection failed", errors)


async def _connect(
    loop: asyncio.AbstractEventLoop, family: socket.AddressFamily, address: tuple[Any, ...]
) -> socket.socket:
    """Return a socket connected to an address."""
    sock = socket.socket(family, _STREAM, socket.IPPROTO_TCP)
    try:
        if not _STARTS_NON_BLOCKING:
            sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "win32":  # its proactor loop cannot watch descriptors
            await loop.sock_connect(sock, address)
        else:
            await _wait_connected(loop, sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _wait_connected(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, address: tuple[Any, ...]
) -> None:
    error = sock.connect_ex(address)
    if error == errno.EINPROGRESS and sys.platform == "linux":
        error = sock.connect_ex(address)  # to an address of this machine it is complete by now
    if error in _UNDER_WAY:
        writable = loop.create_future()
        loop.add_writer(sock.fileno(), _set_done, writable)
        try:
            await writable
        finally:
            loop.remove_writer(sock.fileno())
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, f"Connect call failed {address}")


def _set_done(writable: asyncio.Future[None]) -> None:
    if not writable.done():
        writable.set_result(None)
