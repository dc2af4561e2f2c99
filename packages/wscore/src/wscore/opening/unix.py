"""Unix sockets to listen on and to connect with; an error on systems without them.

A path is str, bytes or `os.PathLike`; with a leading NUL it is an abstract address, as Linux has,
without a file. A file must not be removed unless it is certainly our own.
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
        path: the path; an existing socket is replaced.

    Raises:
        OSError: if it cannot be bound.
        ValueError: if it is empty, since the system would choose a path.
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
        OSError: if nothing listens there.
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
    """The file of a bound socket; another server may have replaced it by the time of removal.

    Args:
        sock: the bound socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._path: Path | None = None
        self._process = os.getpid()
        address = sock.getsockname()
        if address and isinstance(address, str):  # an abstract address is bytes
            path = Path(address).absolute()  # the working directory may change
            with contextlib.suppress(FileNotFoundError):  # a given socket, its file already removed
                self._identity = _identity(path)
                self._path = path

    def remove(self) -> None:
        """Remove the file, unless it has been replaced.

        Call it while the socket is open: afterwards the system may reuse the inode number. A forked
        child removes nothing, since its parent goes on serving.

        Raises:
            OSError: if it cannot be removed.
        """
        path, self._path = self._path, None
        if path is None or os.getpid() != self._process:
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # already removed
            if _identity(path) == self._identity:
                path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
