"""Asks an HTTP proxy for a tunnel, over a connection to it that already stands.

python-socks has a CONNECT of its own, which is not used: it takes the first piece it receives for
the whole reply, and loses what the proxy sends after the head in that same piece.
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

# Characters of one reply header's value that an error keeps.
_MAX_HEADER = 1000


async def ask_for_tunnel(
    stream: Stream, proxy: ProxyURL, target: Target, headers: Iterable[tuple[str, str]]
) -> ConnectReply:
    """Send a CONNECT request and return the reply, whatever it says.

    Of what the proxy sends, nothing beyond the reply's head is read.

    Raises:
        ProxyReplyError: the reply is malformed or too long, or the proxy hung up.
    """
    reader = ReplyReader()
    try:
        await stream.send(connect_request(target, headers))
        while True:
            data = await stream.receive(reader.wanted)
            if not data:
                raise ValueError("it hung up before the reply was complete")
            reply = reader.feed(data)
            if reply is not None:
                return reply
    except (ValueError, OSError) as error:
        raise ProxyReplyError(
            f"proxy {proxy} gave no valid reply to CONNECT: {error}",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from error


def refusal(proxy: ProxyURL, reply: ConnectReply) -> ProxyRefusedError:
    """Return the error for a reply that is not of the 2xx kind."""
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
