"""Puts TLS around a connection: to an `https://` proxy, and inside a tunnel to the target."""

import asyncio
import ssl

from .stream import SocketStream
from .tls_layer import TlsLayer
from .transport_stream import TransportStream

__all__ = ["start_tls"]


async def start_tls(
    stream: SocketStream | TransportStream, context: ssl.SSLContext, server_hostname: str
) -> TransportStream:
    """Shake hands as a client, and return the stream inside; the one given is used up.

    Args:
        stream: a connection on which the next byte of either side belongs to TLS. It is the
            caller's to abort if this fails.
        context: certificates and options.
        server_hostname: the name the certificate has to bear.

    Raises:
        OSError: the handshake failed (`ssl.SSLError`), or the connection was lost.
    """
    if isinstance(stream, SocketStream):
        outer = TransportStream(stream.socket)
        await asyncio.get_running_loop().create_connection(lambda: outer, sock=stream.socket)
    else:
        outer = stream
    inner = TransportStream(outer.socket)
    layer = TlsLayer(context, server_hostname, inner)
    outer.hand_over(layer)
    try:
        await layer.handshake
    except BaseException:
        outer.abort()
        raise
    return inner
