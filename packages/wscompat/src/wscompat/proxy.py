"""Addresses of proxies: which one the environment names, and their parts. Nothing is connected."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

from .exceptions import InvalidProxy
from .uri import WebSocketURI

__all__ = ["Proxy", "get_proxy", "parse_proxy"]

_SCHEMES = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}
_HTTP_PORT, _HTTPS_PORT = 80, 443


@dataclass
class Proxy:
    """The parts of a proxy's address.

    Attributes:
        scheme: ``http``, ``https``, ``socks4``, ``socks4a``, ``socks5`` or ``socks5h``.
        host: the host in lower case, without brackets.
        port: the port; 443 for ``https`` and 80 for the others, if the address names none.
        username: percent-decoded, or None.
        password: percent-decoded, or None.
    """

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @property
    def user_info(self) -> tuple[str, str] | None:
        """User name and password, or None."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def parse_proxy(proxy: str) -> Proxy:
    """Parse the address of a proxy.

    Args:
        proxy: its URL.

    Raises:
        InvalidProxy: if it is not valid, or of a scheme that is not supported.
    """
    try:
        parts = urllib.parse.urlsplit(proxy)
        port = parts.port
    except ValueError as exc:
        raise InvalidProxy(proxy, "its host or port is malformed") from exc
    if parts.scheme not in _SCHEMES:
        raise InvalidProxy(proxy, f"scheme {parts.scheme} isn't supported")
    if not parts.hostname:
        raise InvalidProxy(proxy, "hostname isn't provided")
    for name in ("path", "query", "fragment"):
        if getattr(parts, name) and (name, parts.path) != ("path", "/"):
            raise InvalidProxy(proxy, f"{name} is meaningless")
    has_passwords = not parts.scheme.startswith("socks4")
    if has_passwords and parts.username is not None and parts.password is None:
        raise InvalidProxy(proxy, "username provided without password")
    return Proxy(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT),
        username=None if parts.username is None else urllib.parse.unquote(parts.username),
        password=None if parts.password is None else urllib.parse.unquote(parts.password),
    )


def get_proxy(uri: WebSocketURI) -> str | None:
    """Return the proxy that the environment or the system configures for a URI, or None.

    Args:
        uri: where to connect to.
    """
    from wsproxy import proxy_from_environment

    scheme = "wss" if uri.secure else "ws"
    return proxy_from_environment(scheme, uri.host, uri.port, all_proxy=False)
