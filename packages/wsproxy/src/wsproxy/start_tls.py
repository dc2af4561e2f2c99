"""Start TLS on a connection: with an `https://` proxy, and inside a tunnel with the target."""

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
    """Perform a client's TLS handshake and return the encrypted stream, which replaces `stream`.

    Args:
        stream: a connection on which the next byte in either direction belongs to TLS. The caller
            must abort it if this fails.
        context: certificates and options.
        server_hostname: the name that the certificate must match.
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
    except BaseException as exc:
        outer.abort()
        if isinstance(exc, TimeoutError) and limit.expired():
            raise ConnectionAbortedError(
                f"TLS handshake not completed within {timeout:g} s"
            ) from exc
        raise
    return inner
