"""Unix sockets: one to serve on, one to connect with; an error on systems that have none."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

__all__ = ["bound_socket", "connected_socket"]


def bound_socket(path: str | os.PathLike[str]) -> socket.socket:
    """A socket bound to a path.

    Args:
        path: the path; a socket that was left there is replaced.

    Raises:
        OSError: if it cannot be bound.
    """
    place = Path(path)
    if place.is_socket():
        place.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(os.fspath(path))
    except BaseException:
        sock.close()
        raise
    return sock


async def connected_socket(path: str | os.PathLike[str]) -> socket.socket:
    """A socket connected to a path.

    Args:
        path: the path.

    Raises:
        OSError: if nobody listens there.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, os.fspath(path))
    except BaseException:
        sock.close()
        raise
    return sock
