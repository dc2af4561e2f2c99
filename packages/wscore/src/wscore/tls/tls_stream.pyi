"""Records between the socket and the protocol: a `SocketTransport` that encrypts what it sends."""

from typing import NoReturn

from typing_extensions import disjoint_base

from ..sockets.socket_transport import SocketTransport

__all__ = ["TlsStream"]

@disjoint_base
class TlsStream(SocketTransport):
    def write_eof(self) -> NoReturn: ...
