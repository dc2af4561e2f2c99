"""WebSocket URLs: parsing and validation (RFC 6455, 3).

Nothing is resolved or connected here.
"""

from __future__ import annotations

import functools
import urllib.parse
from dataclasses import dataclass

from ..errors import WSInvalidURL

__all__ = ["WSParsedURL", "parse_url"]

DEFAULT_PORTS = {"ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class WSParsedURL:
    """A parsed WebSocket URL.

    Attributes:
        url: the URL as given.
        scheme: ``"ws"`` or ``"wss"``.
        is_secure: whether the scheme is ``"wss"``.
        netloc: the authority as given, including credentials.
        host: the host name or address, ASCII, without the brackets of an IPv6 address.
        port: the TCP port; the default port of the scheme if the URL has none.
        path: the path, ``"/"`` if the URL has none.
        query: the query without its question mark, empty if there is none.
        username: percent-decoded, or None.
        password: percent-decoded, or None.
    """

    url: str
    scheme: str
    is_secure: bool
    netloc: str
    host: str
    port: int
    path: str
    query: str
    username: str | None = None
    password: str | None = None

    @property
    def resource_name(self) -> str:
        """Path and query, as in the request line (RFC 6455, 3)."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def user_info(self) -> tuple[str, str] | None:
        """User name and password, or None if the URL has no user name."""
        return None if self.username is None else (self.username, self.password or "")

    @property
    def host_header(self) -> str:
        """The value of the ``Host`` header field: with the port unless it is the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __repr__(self) -> str:
        """Show the parts of the URL, without its credentials."""
        return (
            f"WSParsedURL(scheme={self.scheme!r}, host={self.host!r}, port={self.port}, "
            f"resource_name={self.resource_name!r})"
        )


def parse_url(url: str) -> WSParsedURL:
    """Parse a WebSocket URL.

    Args:
        url: an absolute ``ws://`` or ``wss://`` URL.

    Returns:
        The parts of the URL.

    Raises:
        WSInvalidURL: if it is not a str, has another scheme, has no host or a malformed one, has a
            port out of range, has a fragment, or has characters that are invalid in URLs.
    """
    if not isinstance(url, str):
        raise WSInvalidURL(repr(url), "it must be a str")
    return _parsed(url)


@functools.lru_cache(maxsize=128)  # most programs connect to the same few URLs repeatedly
def _parsed(url: str) -> WSParsedURL:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        raise WSInvalidURL(url, "its host is malformed") from None
    try:
        port = parts.port
    except ValueError:
        raise WSInvalidURL(url, "its port is not a number from 1 to 65535") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise WSInvalidURL(url, f"the scheme must be ws or wss, not {parts.scheme!r}")
    if not parts.hostname:
        raise WSInvalidURL(url, "it has no host")
    if port == 0:
        raise WSInvalidURL(url, "its port must not be 0")
    if parts.fragment or url.endswith("#"):
        raise WSInvalidURL(url, "it must not have a fragment (RFC 6455, 3)")
    if any(char <= " " or char == "\x7f" for char in url):
        raise WSInvalidURL(url, "it contains white space or control characters")
    return WSParsedURL(
        url=url,
        scheme=parts.scheme,
        is_secure=parts.scheme == "wss",
        netloc=parts.netloc,
        host=_ascii_host(url, parts.hostname),
        port=port or DEFAULT_PORTS[parts.scheme],
        path=_ascii_text(parts.path) or "/",
        query=_ascii_text(parts.query),
        username=_unquoted(parts.username),
        password=_unquoted(parts.password),
    )


def _ascii_host(url: str, host: str) -> str:
    """Return the host in ASCII; names in other scripts are IDNA-encoded."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise WSInvalidURL(url, f"its host name cannot be encoded: {exc}") from None


def _ascii_text(text: str) -> str:
    """Percent-encode non-ASCII characters as UTF-8 (RFC 3987, 3.1)."""
    return text if text.isascii() else urllib.parse.quote(text, safe="%/:=&?~#+!$,;'@()*[]")


def _unquoted(text: str | None) -> str | None:
    return None if text is None else urllib.parse.unquote(text)
