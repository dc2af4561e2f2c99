"""The arguments of servers on Unix sockets, which `asyncio.loop.create_unix_server` takes."""

from __future__ import annotations

import socket
from typing import Any

from wscore.opening.unix import UnixPath

__all__ = ["UnixPath", "unix_arguments"]


def unix_arguments(
    *,
    path: UnixPath | None = None,
    sock: socket.socket | None = None,
    cleanup_socket: bool = True,
    **others: Any,
) -> dict[str, Any]:
    """Return arguments of a server of wscore.

    Args:
        path: where to listen.
        sock: bound, to be used instead.
        cleanup_socket: whether the path is removed when the server is closed, if it is still the
            server's. asyncio knows this argument, and does it, from Python 3.13 on.
        **others: as they are.

    Raises:
        ValueError: if there is neither a path nor a Unix socket, or both.
    """
    if path is not None:
        if sock is not None:
            raise ValueError("path and sock cannot be combined")
        return {"unix_path": path, "cleanup_socket": cleanup_socket, **others}
    if sock is None:
        raise ValueError("a path or sock is needed")
    if sock.family != socket.AF_UNIX:
        raise ValueError(f"a unix socket is needed, not {sock!r}")
    return {"sock": sock, "cleanup_socket": cleanup_socket, **others}
