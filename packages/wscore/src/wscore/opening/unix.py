"""Unix sockets: one to serve on, one to connect with; an error on systems that have none.

A path is text, bytes or `os.PathLike`; with a NUL at its start it is one of Linux's abstract ones,
which no file stands for. A file is removed only if it is surely the caller's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

__all__ = ["SocketFile", "UnixPath", "bound_socket", "connected_socket"]

UnixPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def bound_socket(path: UnixPath) -> socket.socket:
    """Return a socket bound to a path.

    Args:
        path: the path; a socket that was left there is replaced.

    Raises:
        OSError: if it cannot be bound.
        ValueError: if it is empty; the system would choose one.
    """
    address = os.fsdecode(path)
    if not address:
        raise ValueError("the path of a unix socket must not be empty")
    if not address.startswith("\0") and Path(address).is_socket():
        Path(address).unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(address)
    except OSError as exc:
        sock.close()
        raise OSError(exc.errno, f"cannot bind {address!r}: {exc.strerror or exc}") from exc
    except BaseException:
        sock.close()
        raise
    return sock


async def connected_socket(path: UnixPath) -> socket.socket:
    """Return a socket connected to a path.

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


class SocketFile:
    """The file that stands for a bound socket, and may be another one's by the time it is removed.

    Args:
        sock: bound.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._path: Path | None = None
        self._process = os.getpid()
        address = sock.getsockname()
        if address and isinstance(address, str):  # an abstract one is bytes
            path = Path(address).absolute()  # the working directory may be another one later
            with contextlib.suppress(FileNotFoundError):  # it was given, and is removed already
                self._identity = _identity(path)
                self._path = path

    def remove(self) -> None:
        """Remove the file, unless somebody else has put one of his own there.

        It must be called while the socket is open: the system may give the file's number to another
        one afterwards. A child that was forked removes nothing, since its parent goes on serving.

        Raises:
            OSError: if it cannot be removed.
        """
        path, self._path = self._path, None
        if path is None or os.getpid() != self._process:
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # somebody was faster
            if _identity(path) == self._identity:
                path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
