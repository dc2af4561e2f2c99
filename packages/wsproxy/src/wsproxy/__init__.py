"""Tunnels through HTTP and SOCKS proxies for asyncio programs.

`open_tunnel()` returns a tunnel as a socket, `open_tunnel_transport()` as a transport with a
protocol, also through `https` proxies. `gives_socket()` returns whether `open_tunnel()` works for a
proxy, and `proxy_from_environment()` returns the configured proxy. Their exceptions are subclasses
of `ProxyError`. This package must not import the other packages of its repository.
"""

from .environment import proxy_from_environment
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
from .tunnel import (
    DEFAULT_TIMEOUT,
    DEFAULT_USER_AGENT,
    gives_socket,
    open_tunnel,
    open_tunnel_transport,
)
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
    "gives_socket",
    "open_tunnel",
    "open_tunnel_transport",
    "parse_proxy_url",
    "proxy_from_environment",
]
