"""Puts TLS around a connection: to an `https://` proxy, and inside a tunnel to the target."""

import asyncio
import ssl

from .stream import SocketStream
from .tls_layer import TlsLayer
from .transport_stream import TransportStream

__all__ = ["start_tls"]


async def start_tls(
    stream: SocketStream | TransportStream,
    context: ssl.SSLContext,
    server_hostname: str,
    timeout: float | None = None,
) -> TransportStream:
    """Shake hands as a client, and return the stream inside; the one given is used up.

    Args:
        stream: a connection on which the next byte of either side belongs to TLS. It is the
            caller's to abort if this fails.
        context: certificates and options.
        server_hostname: the name the certificate has to bear.
        timeout: seconds for the handshake; None for no limit.

    Raises:
        OSError: the handshake failed (`ssl.SSLError`), the connection was lost, or the handshake
            took too long (`ConnectionAbortedError`, as in asyncio).
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
        async with asyncio.timeout(timeout) as limit:
            await layer.handshake
    except BaseException as error:
        outer.abort()
        if isinstance(error, TimeoutError) and limit.expired():
            raise ConnectionAbortedError(f"no TLS handshake within {timeout:g} s") from error
        raise
    return inner
