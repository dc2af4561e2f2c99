"""Request a tunnel from an HTTP proxy over an existing connection to it.

CONNECT of python-socks is not used: it treats the first received piece as the whole response, and
loses the bytes after the headers in that piece.
"""

from collections.abc import Iterable

from .connect_reply import ConnectReply, ReplyReader
from .connect_request import connect_request
from .errors import ProxyAuthenticationError, ProxyRefusedError, ProxyReplyError
from .redact import clean
from .stream import Stream
from .target import Target
from .url import ProxyURL

__all__ = ["ask_for_tunnel", "refusal"]

# Maximum number of characters of a response header's value in an exception.
_MAX_HEADER = 1000


async def ask_for_tunnel(
    stream: Stream, proxy: ProxyURL, target: Target, headers: Iterable[tuple[str, str]]
) -> ConnectReply:
    """Send a CONNECT request and return the response, whatever its status.

    Nothing after the headers of the response is read.

    Raises:
        ProxyReplyError: the response is malformed or too long, or the proxy closed the connection.
    """
    reader = ReplyReader()
    try:
        await stream.send(connect_request(target, headers))
        while True:
            data = await stream.receive(reader.wanted)
            if not data:
                raise ValueError("the connection was closed before the response was complete")
            reply = reader.feed(data)
            if reply is not None:
                return reply
    except (ValueError, OSError) as exc:
        raise ProxyReplyError(
            f"proxy {proxy} sent no valid response to CONNECT: {exc}",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from exc


def refusal(proxy: ProxyURL, reply: ConnectReply) -> ProxyRefusedError:
    """Return the exception for a response whose status is not 2xx."""
    kind = ProxyAuthenticationError if reply.status == 407 else ProxyRefusedError
    reason = clean(reply.reason, proxy)
    return kind(
        f"proxy {proxy} refused the tunnel: {reply.status} {reason}".rstrip(),
        proxy_host=proxy.host,
        proxy_port=proxy.port,
        code=reply.status,
        reason=reason,
        headers=tuple((name, clean(value, proxy, _MAX_HEADER)) for name, value in reply.headers),
    )
