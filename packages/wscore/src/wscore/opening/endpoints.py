"""Opening and accepting connections, and the choice of their transport.

Connections run on wscore's own transports, plain and with TLS; on loops that cannot watch a
descriptor they run on the loop's. The arguments are asyncio's in both cases. A socket that was
given or created here is closed if opening the connection fails or is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl as ssl_module
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ..connection.protocol import WSProtocolCore
from ..connection.seconds import check_seconds
from .tcp import CONNECTING_ARGUMENTS, connect_socket, family_of, prepare
from .tls_side import check_context
from .unix import SocketFile, UnixPath, bound_socket

HAS_SOCKET_TRANSPORT = sys.platform != "win32"  # not built on Windows
if HAS_SOCKET_TRANSPORT:
    from ..sockets.socket_server import SocketServer
    from ..sockets.socket_transport import SocketTransport
    from ..tls.tls_transport import TlsTransport

if TYPE_CHECKING and sys.platform != "win32":

    class Server(asyncio.Server):
        """The servers returned here; asyncio's lack these methods before Python 3.13."""

        def close_clients(self) -> None:
            """See `SocketServer.close_clients`."""

        def abort_clients(self) -> None:
            """See `SocketServer.abort_clients`."""

else:
    Server = asyncio.Server

__all__ = ["Server", "open_stream", "start_server"]

P = TypeVar("P", bound=WSProtocolCore)

# The accept queue, limited by the system's own maximum. asyncio's default is 100, beyond which
# Linux drops the client's packets. Clients retransmit them after 1, 2, 4 … seconds: of 10,000
# simultaneous clients some were not served after a minute, or their request arrived so long after
# the connection that the handshake timeout had expired.
BACKLOG = 4096

HANDSHAKE_TIMEOUT = 60.0  # seconds; asyncio's own default


class Tls(NamedTuple):
    """TLS settings of connections.

    Attributes:
        context: the certificates to trust and to present.
        handshake_timeout: seconds.
        shutdown_timeout: seconds that closing may take; None for the protocol's
            ``disconnect_timeout``.
    """

    context: ssl_module.SSLContext
    handshake_timeout: float
    shutdown_timeout: float | None


async def open_stream(
    make_protocol: Callable[[], P],
    host: str | None = None,
    port: int | None = None,
    *,
    ssl: ssl_module.SSLContext | bool | None = None,
    sock: socket.socket | None = None,
    server_hostname: str | None = None,
    opening_timeout: float | None = None,
    **kwargs: Any,
) -> P:
    """Connect a protocol, like `asyncio.loop.create_connection`.

    Args:
        make_protocol: called once the socket is connected.
        host: name or address to connect to.
        port: its port.
        ssl: a context for TLS, True for one that verifies the server, or None.
        sock: a connected socket to use instead; it is closed on failure.
        server_hostname: the name in the server's certificate; `host` if None.
        opening_timeout: seconds for the TLS handshake, unless ``ssl_handshake_timeout`` is less;
            None for no such limit.
        **kwargs: the further arguments of `asyncio.loop.create_connection`.

    Returns:
        The protocol; with TLS, once the TLS handshake is complete.

    Raises:
        OSError: if no address could be connected to, or TLS failed (`ssl.SSLError`).
        ValueError: if `sock` is combined with arguments of connecting; or there are arguments of
            TLS without `ssl`; or the context is one for servers.
        TypeError: if `ssl` is not a context, or there are unexpected keyword arguments.
    """
    loop: Any = asyncio.get_running_loop()
    if server_hostname is not None and not ssl:
        raise ValueError("server_hostname requires ssl")
    if not isinstance(ssl, bool):
        check_context("ssl", ssl, "client")
    if not HAS_SOCKET_TRANSPORT:
        secure = {"ssl": ssl, "server_hostname": server_hostname} if ssl else {}
        _limit_tls(ssl, opening_timeout, kwargs)
        _, made = await loop.create_connection(
            make_protocol, host, port, sock=sock, **secure, **kwargs
        )
        return cast(P, made)
    try:
        tls = _take_tls(ssl, kwargs, opening_timeout)
        if sock is None:
            if unknown := sorted(kwargs.keys() - CONNECTING_ARGUMENTS):
                raise TypeError(f"unexpected keyword arguments: {', '.join(unknown)}")
            sock = await connect_socket(host, port, **kwargs)
        elif kwargs or host is not None or port is not None:
            raise ValueError("host, port and arguments of connecting cannot be combined with sock")
        else:
            prepare(sock)
        if tls is None:
            protocol = make_protocol()
            SocketTransport(loop, sock, protocol)
            return protocol
        return await _secure(loop, make_protocol, sock, tls, server_hostname or host)
    except BaseException:
        if sock is not None:
            sock.close()
        raise


async def start_server(
    make_protocol: Callable[[], WSProtocolCore],
    host: str | Sequence[str] | None,
    port: int | None,
    *,
    ssl: ssl_module.SSLContext | None = None,
    unix_path: UnixPath | None = None,
    cleanup_socket: bool | None = None,
    start_serving: bool = True,
    backlog: int = BACKLOG,
    opening_timeout: float | None = None,
    **kwargs: Any,
) -> Server:
    """Listen, like `asyncio.loop.create_server` and `asyncio.loop.create_unix_server`.

    Args:
        make_protocol: called for each accepted connection.
        host: address, addresses, or None for all interfaces.
        port: TCP port.
        ssl: a context for TLS, or None.
        unix_path: path of a unix socket to listen on instead; an existing socket is replaced.
        cleanup_socket: whether the path of a unix socket, created here or given, is removed when
            the server is closed, if it is still the same file; None: only if created here.
        start_serving: whether to start accepting connections immediately.
        backlog: the size of the system's accept queue.
        opening_timeout: seconds after which a connection still in its TLS handshake is closed,
            unless ``ssl_handshake_timeout`` is less; None for no such limit.
        **kwargs: the further arguments of `asyncio.loop.create_server`.

    Returns:
        The server.

    Raises:
        OSError: if an address cannot be bound.
        TypeError: if `ssl` is not a context, or there are unexpected keyword arguments.
        ValueError: if several of host and port, `unix_path` and ``sock`` are given, or the context
            is one for clients.
    """
    loop: Any = asyncio.get_running_loop()
    check_context("ssl", ssl, "server")
    if unix_path is not None and not (host is None and port is None and kwargs.get("sock") is None):
        raise ValueError("unix_path cannot be combined with host, port or sock")
    if cleanup_socket is not None and unix_path is None and not _is_unix(kwargs.get("sock")):
        raise ValueError("cleanup_socket requires a unix socket")
    if not HAS_SOCKET_TRANSPORT:
        if unix_path is not None:
            raise NotImplementedError("unix sockets are not supported on this system")
        _limit_tls(ssl, opening_timeout, kwargs)
        server: Server = await loop.create_server(
            make_protocol,
            host,
            port,
            ssl=ssl,
            start_serving=start_serving,
            backlog=backlog,
            **kwargs,
        )
        return server
    tls = _take_tls(ssl, kwargs, opening_timeout)
    attach = partial(_attach_accepted, loop, make_protocol, tls)
    given = kwargs.pop("sock", None)
    if given is not None:
        _check_bound(given, host, port, kwargs)
        sockets = [given]
    elif unix_path is not None:
        _check_unused(kwargs)
        sockets = [bound_socket(unix_path)]
        cleanup_socket = cleanup_socket is not False
    else:
        sockets = await _bind(loop, host, port, backlog, kwargs)
    with contextlib.ExitStack() as undo:
        for sock in sockets:
            undo.callback(sock.close)
        file = None
        if cleanup_socket:
            file = SocketFile(sockets[0])
            undo.callback(file.remove)
        made = SocketServer(loop, sockets, attach, backlog, file)
        undo.pop_all()  # the server owns all of it now
        undo.callback(made.close)
        if start_serving:
            await made.start_serving()
        undo.pop_all()
    return cast(Server, made)  # not a subclass, but with the same methods


async def _bind(
    loop: Any,
    host: str | Sequence[str] | None,
    port: int | None,
    backlog: int,
    others: dict[str, Any],
) -> list[socket.socket]:
    """Return sockets bound to all the addresses.

    A server of the loop resolves and binds, since it takes all the arguments for that. It never
    accepts: its sockets are duplicated, then it is closed. For a literal address the resolver is
    bypassed: it leaves threads behind, and system calls cost more in a multi-threaded process.
    """
    family = family_of(host)
    if family is not None and not others and (port is None or isinstance(port, int)):
        return [_bind_address(family, (host, port or 0))]
    binder = await loop.create_server(
        asyncio.Protocol, host, port, start_serving=False, backlog=backlog, **others
    )
    try:
        return [
            socket.fromfd(bound.fileno(), bound.family, bound.type, bound.proto)
            for bound in binder.sockets
        ]
    finally:
        binder.close()


def _bind_address(family: socket.AddressFamily, address: tuple[Any, int]) -> socket.socket:
    """Return a socket bound to an address, with the options that asyncio's servers set."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError as exc:
        sock.close()
        raise OSError(exc.errno, f"cannot bind {address!r}: {exc.strerror}") from exc
    except BaseException:
        sock.close()
        raise
    return sock


def _check_bound(sock: socket.socket, host: object, port: object, others: dict[str, Any]) -> None:
    """Check that the caller's socket can be served on, and is not combined with an address."""
    if host is not None or port is not None:
        raise ValueError("host and port cannot be combined with sock")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"sock must be a stream socket, not {sock!r}")
    _check_unused(others)


def _is_unix(sock: socket.socket | None) -> bool:
    return sock is not None and sock.family == getattr(socket, "AF_UNIX", None)


def _check_unused(others: dict[str, Any]) -> None:
    """Check that no arguments of binding are given when the socket is already bound."""
    if others:
        raise TypeError(f"unexpected with sock or unix_path: {', '.join(sorted(others))}")


def _limit_tls(
    ssl: ssl_module.SSLContext | bool | None, opening_timeout: float | None, given: dict[str, Any]
) -> None:
    """Add a limit of the TLS handshake to the arguments for a method of the loop."""
    if ssl and opening_timeout is not None:
        seconds = given.get("ssl_handshake_timeout") or HANDSHAKE_TIMEOUT
        given["ssl_handshake_timeout"] = min(seconds, opening_timeout)


def _take_tls(
    ssl: ssl_module.SSLContext | bool | None,
    given: dict[str, Any],
    opening_timeout: float | None = None,
) -> Tls | None:
    """Remove the arguments of TLS from those given, and return the settings."""
    handshake = _take_seconds(given, "ssl_handshake_timeout", ssl)
    shutdown = _take_seconds(given, "ssl_shutdown_timeout", ssl)
    if not ssl:
        return None
    context = ssl_module.create_default_context() if ssl is True else ssl
    handshake = handshake or HANDSHAKE_TIMEOUT
    if opening_timeout is not None:
        handshake = min(handshake, opening_timeout)
    return Tls(context, handshake, shutdown)


def _take_seconds(
    given: dict[str, Any], name: str, ssl: ssl_module.SSLContext | bool | None
) -> float | None:
    """Remove a timeout of TLS from the arguments, and return it; None if it is not given."""
    value: float | None = given.pop(name, None)
    if value is None:
        return None
    if not ssl:
        raise ValueError(f"{name} requires ssl")
    check_seconds(name, value)
    if value <= 0:
        raise ValueError(f"{name} must be positive, not {value}")
    return value


def _attach_accepted(
    loop: asyncio.AbstractEventLoop,
    make_protocol: Callable[[], WSProtocolCore],
    tls: Tls | None,
    fd: int,
) -> SocketTransport:
    """Attach an accepted connection to a new protocol of the server."""
    try:
        protocol = make_protocol()
    except BaseException:
        os.close(fd)
        raise
    if tls is None:
        return SocketTransport(loop, fd, protocol)
    return TlsTransport(loop, fd, protocol, *tls, server_side=True)


async def _secure(
    loop: asyncio.AbstractEventLoop,
    make_protocol: Callable[[], P],
    sock: socket.socket,
    tls: Tls,
    server_hostname: str | None,
) -> P:
    """Attach a connected socket to a new protocol, and wait for the TLS handshake."""
    protocol = make_protocol()
    opened = loop.create_future()
    transport = TlsTransport(
        loop, sock, protocol, *tls, server_hostname=server_hostname, opened=opened
    )
    try:
        await opened
    except BaseException:
        transport.abort()
        raise
    return protocol
