"""Tunnels through HTTP and SOCKS proxies for asyncio programs.

`open_tunnel()` is the door; everything else that is public here is what it may raise. The package
must import none of the others of its repository.
"""

from .errors import (
    ProxyAuthenticationError,
    ProxyConnectionError,
    ProxyError,
    ProxyRefusedError,
    ProxyReplyError,
    ProxyTimeoutError,
    ProxyUnsupportedError,
    ProxyURLError,
)
from .tunnel import DEFAULT_TIMEOUT, DEFAULT_USER_AGENT, open_tunnel
from .url import ProxyURL, parse_proxy_url
from .version import __version__

__all__ = [
    "DEFAULT_TIMEOUT",
    "DEFAULT_USER_AGENT",
    "ProxyAuthenticationError",
    "ProxyConnectionError",
    "ProxyError",
    "ProxyRefusedError",
    "ProxyReplyError",
    "ProxyTimeoutError",
    "ProxyURL",
    "ProxyURLError",
    "ProxyUnsupportedError",
    "__version__",
    "open_tunnel",
    "parse_proxy_url",
]
