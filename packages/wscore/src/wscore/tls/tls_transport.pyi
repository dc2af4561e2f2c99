"""TLS on a connected stream socket: a `SocketTransport` that encrypts what it sends."""

import asyncio
import socket
import ssl
from typing import NoReturn, final

from ..connection.protocol import WSProtocolCore
from ..sockets.socket_transport import SocketTransport

__all__ = ["TlsTransport"]

@final
class TlsTransport(SocketTransport):
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket | int,
        protocol: WSProtocolCore,
        context: ssl.SSLContext,
        handshake_timeout: float,
        shutdown_timeout: float | None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        opened: asyncio.Future[None] | None = None,
    ) -> None: ...
    def write_eof(self) -> NoReturn: ...
