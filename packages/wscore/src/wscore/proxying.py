"""The way of a connection through a proxy, which wsproxy opens.

wsproxy is an extra: it is imported when there is a proxy to go through, and never before.
"""

from __future__ import annotations

import socket

from .errors import WSError
from .url import WSParsedURL

__all__ = ["open_tunnel"]


async def open_tunnel(proxy: str, url: WSParsedURL) -> socket.socket:
    """Have a proxy connect to the host of a URL.

    Args:
        proxy: the proxy's URL.
        url: where the tunnel leads.

    Returns:
        A connected socket.

    Raises:
        WSError: if wsproxy is not installed.
        OSError: if there is no tunnel (`wsproxy.ProxyError`).
    """
    try:
        import wsproxy
    except ImportError as exc:
        raise WSError(
            "proxy= needs the package wsproxy-asyncio: pip install 'wscore-asyncio[proxy]'"
        ) from exc
    return await wsproxy.open_tunnel(proxy, url.host, url.port)
