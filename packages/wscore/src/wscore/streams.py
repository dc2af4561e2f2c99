"""Sockets: which transport a connection runs on, how it is opened, how it is accepted.

Plain TCP runs on wscore's own `SocketTransport`. TLS runs on the loop's transports or, where they
are asked for, on aiofastnet's; so does everything on loops that cannot watch a descriptor. The
arguments are asyncio's in all cases.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, cast

from aiohappyeyeballs import start_connection

from .protocol import WSProtocolCore

aiofastnet: ModuleType | None
try:
    import aiofastnet
except ImportError:  # it is an extra
    aiofastnet = None

try:
    from .socket_transport import SocketTransport
except ImportError:  # not built on this system
    HAS_SOCKET_TRANSPORT = False
else:
    HAS_SOCKET_TRANSPORT = True

__all__ = ["SocketServer", "connect_socket", "open_stream", "start_server"]

P = TypeVar("P", bound=WSProtocolCore)

HAPPY_EYEBALLS_DELAY = 0.25  # seconds (RFC 8305, 8)
ACCEPT_PAUSE = 1.0  # seconds, when the system is out of descriptors or memory
OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


async def open_stream(
    make_protocol: Callable[[], P],
    host: str | None = None,
    port: int | None = None,
    *,
    ssl: Any = None,
    sock: socket.socket | None = None,
    use_aiofastnet: bool | None = None,
    **kwargs: Any,
) -> P:
    """Connect a protocol, like `asyncio.loop.create_connection`.

    Args:
        make_protocol: called once the socket is connected.
        host: name or address to connect to.
        port: its port.
        ssl: a context for TLS, or None.
        sock: a connected socket to use instead; it is closed if this fails.
        use_aiofastnet: whether TLS runs on aiofastnet.
        **kwargs: the further arguments of `asyncio.loop.create_connection`.

    Returns:
        The protocol.

    Raises:
        OSError: if no address could be connected to.
        ValueError: if there is a socket, and arguments that say how to connect.
        TypeError: if there are arguments that a plain connection has no use for.
    """
    loop: Any = asyncio.get_running_loop()
    if ssl is not None or not _can_watch():
        create = _creator(loop, "create_connection", use_aiofastnet)
        _, made = await create(make_protocol, host, port, ssl=ssl, sock=sock, **kwargs)
        return cast(P, made)
    if sock is None:
        _check_arguments(kwargs)
        sock = await connect_socket(host, port, **kwargs)
    elif kwargs or host is not None or port is not None:
        sock.close()
        raise ValueError("host, port and how to connect go with no connected socket")
    return _attach(loop, sock, make_protocol)


async def start_server(
    make_protocol: Callable[[], WSProtocolCore],
    host: str | Sequence[str] | None,
    port: int | None,
    *,
    ssl: Any = None,
    start_serving: bool = True,
    backlog: int = 100,
    use_aiofastnet: bool | None = None,
    **kwargs: Any,
) -> asyncio.Server:
    """Listen, like `asyncio.loop.create_server`.

    Args:
        make_protocol: called for each accepted connection.
        host: address, addresses, or None for all interfaces.
        port: TCP port.
        ssl: a context for TLS, or None.
        start_serving: whether to accept connections at once.
        backlog: how many connections the system keeps waiting.
        use_aiofastnet: whether TLS runs on aiofastnet.
        **kwargs: the further arguments of `asyncio.loop.create_server`.

    Returns:
        The server.

    Raises:
        OSError: if an address cannot be bound.
    """
    loop: Any = asyncio.get_running_loop()
    if ssl is not None or not _can_watch():
        create = _creator(loop, "create_server", use_aiofastnet)
        server: asyncio.Server = await create(
            make_protocol,
            host,
            port,
            ssl=ssl,
            start_serving=start_serving,
            backlog=backlog,
            **kwargs,
        )
        return server
    if given := kwargs.pop("sock", None):
        return await _serve_on(given, host, port, make_protocol, backlog, start_serving, kwargs)
    # The loop's own server resolves and binds, with all the arguments that are for that; it never
    # accepts, because its sockets are duplicated before it goes.
    binder = await loop.create_server(
        make_protocol, host, port, start_serving=False, backlog=backlog, **kwargs
    )
    sockets = [
        socket.fromfd(bound.fileno(), bound.family, bound.type, bound.proto)
        for bound in binder.sockets
    ]
    binder.close()
    return await _started(SocketServer(loop, sockets, make_protocol, backlog), start_serving)


async def _serve_on(
    sock: socket.socket,
    host: object,
    port: object,
    make_protocol: Callable[[], WSProtocolCore],
    backlog: int,
    start_serving: bool,
    others: dict[str, Any],
) -> asyncio.Server:
    """A server on a socket of the caller's."""
    if host is not None or port is not None:
        raise ValueError("host and port go with no sock")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"a stream socket is needed, not {sock!r}")
    if others:
        raise TypeError(f"with a bound socket there is no use for {', '.join(others)}")
    loop = asyncio.get_running_loop()
    return await _started(SocketServer(loop, [sock], make_protocol, backlog), start_serving)


async def _started(server: SocketServer, start_serving: bool) -> asyncio.Server:
    if start_serving:
        await server.start_serving()
    return cast(asyncio.Server, server)  # not a subclass, but with the same methods


class SocketServer(asyncio.AbstractServer):
    """A server that accepts connections itself; it has the methods of `asyncio.Server`.

    Args:
        loop: the running loop.
        sockets: bound; they belong to the server from now on.
        make_protocol: called for each accepted connection.
        backlog: how many connections the system keeps waiting.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: list[socket.socket],
        make_protocol: Callable[[], WSProtocolCore],
        backlog: int,
    ) -> None:
        self._loop = loop
        self._sockets: list[socket.socket] | None = sockets
        self._make_protocol = make_protocol
        self._backlog = backlog
        self._serving = False
        self._stopped: asyncio.Future[None] = loop.create_future()
        for sock in sockets:
            sock.setblocking(False)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that are listened on; none once the server is closed."""
        return tuple(self._sockets or ())

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the server runs on."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections from now on; does nothing if they are accepted already."""
        if self._sockets is None:
            raise RuntimeError("the server is closed")
        if not self._serving:
            self._serving = True
            for sock in self._sockets:
                sock.listen(self._backlog)
                self._loop.add_reader(sock.fileno(), self._accept, sock)

    async def serve_forever(self) -> None:
        """Accept connections until this is cancelled, which closes the server."""
        await self.start_serving()
        try:
            await asyncio.shield(self._stopped)
        finally:
            self.close()

    def close(self) -> None:
        """Stop accepting; connections that are open stay so."""
        if self._sockets is None:
            return
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets = None
        self._serving = False
        self._stopped.cancel()

    async def wait_closed(self) -> None:
        """Wait until the server is closed."""
        await asyncio.wait([self._stopped])

    async def __aexit__(self, *exc: object) -> None:
        self.close()
        await self.wait_closed()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(max(1, self._backlog)):
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                if exc.errno not in OUT_OF_RESOURCES:
                    raise
                self._pause(listener, exc)
                return
            _attach(self._loop, sock, self._make_protocol)

    def _pause(self, listener: socket.socket, exc: OSError) -> None:
        """Say that the system is out of descriptors or memory, and give it time to recover."""
        self._loop.call_exception_handler(
            {"message": "accepting connections failed, trying again", "exception": exc}
        )
        self._loop.remove_reader(listener.fileno())
        self._loop.call_later(ACCEPT_PAUSE, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if self._serving:
            self._loop.add_reader(listener.fileno(), self._accept, listener)


def _creator(loop: Any, name: str, use_aiofastnet: bool | None) -> Callable[..., Any]:
    """The loop's method of this name, or what aiofastnet has in its place."""
    if not use_aiofastnet:
        method: Callable[..., Any] = getattr(loop, name)
        return method
    if aiofastnet is None:
        raise RuntimeError("use_aiofastnet=True needs the package aiofastnet")
    return partial(getattr(aiofastnet, name), loop)


def _check_arguments(given: dict[str, Any]) -> None:
    """What `connect_socket` takes beside host and port."""
    known = inspect.signature(connect_socket).parameters
    if unknown := sorted(given.keys() - known.keys()):
        raise TypeError(f"a plain connection has no use for {', '.join(unknown)}")


def _can_watch() -> bool:
    """Whether our own transport works here."""
    return HAS_SOCKET_TRANSPORT and sys.platform != "win32"


def _attach(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, make_protocol: Callable[[], P]
) -> P:
    """Give a connected socket to a new protocol."""
    sock.setblocking(False)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        protocol = make_protocol()
        SocketTransport(loop, sock, protocol)
    except BaseException:
        sock.close()
        raise
    return protocol


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
) -> socket.socket:
    """Connect a socket to the first address of a name that answers.

    Args:
        host: name or address to connect to.
        port: its port.
        family: of the addresses to try; 0 for all.
        proto: of the socket.
        flags: for the resolver.
        local_addr: host and port to connect from.
        happy_eyeballs_delay: seconds after which the next address is tried as well (RFC 8305);
            None to try one after the other.
        interleave: how many addresses of the first family come before those of the next.

    Raises:
        OSError: if no address could be connected to.
    """
    loop = asyncio.get_running_loop()
    kind = socket.SOCK_STREAM
    found = await loop.getaddrinfo(host, port, family=family, type=kind, proto=proto, flags=flags)
    local = None
    if local_addr is not None:
        local = await loop.getaddrinfo(
            *local_addr, family=family, type=kind, proto=proto, flags=flags
        )
    return await start_connection(
        found,
        local_addr_infos=local,
        happy_eyeballs_delay=happy_eyeballs_delay,
        interleave=interleave,
        loop=loop,
    )
