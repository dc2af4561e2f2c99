"""Parse the URL of a proxy: scheme, address, credentials.

A malformed URL must be rejected without being quoted, and the result must not show its credentials
when it is printed: both would put passwords into logs.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from .errors import ProxyUnsupportedError, ProxyURLError
from .target import Target, parse_target

__all__ = ["ProxyURL", "parse_proxy_url"]

DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}

# Whitespace and control characters: urlsplit() would drop some of them silently.
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ProxyURL:
    """The parts of a proxy's URL.

    Attributes:
        scheme: `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`.
        host: ASCII name or address, an IPv6 address without brackets.
        port: TCP port; the scheme's default if the URL has none.
        username: percent-decoded, or None. Not shown by `repr()`.
        password: percent-decoded, or None. Not shown by `repr()`.
    """

    scheme: str
    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def is_socks(self) -> bool:
        """Whether the proxy uses one of the SOCKS protocols rather than HTTP."""
        return self.scheme.startswith("socks")

    @property
    def resolves_names(self) -> bool:
        """Whether the proxy resolves names by default; only SOCKS4 cannot transmit a name."""
        return self.scheme != "socks4"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_proxy_url(url: str) -> ProxyURL:
    """Parse a proxy's URL, `scheme://[user[:password]@]host[:port]`.

    Args:
        url: the URL; user and password are percent-encoded UTF-8 (RFC 3986, section 2.1).

    Raises:
        ProxyURLError: the URL is malformed. Its text does not quote the URL.
        ProxyUnsupportedError: the scheme is not one of the six.
    """
    if _UNPRINTABLE.search(url):
        raise ProxyURLError("the proxy URL contains whitespace or control characters")
    parts = _split(url)
    if parts is None or not parts.scheme:
        raise ProxyURLError("the proxy URL is not of the form scheme://[user:password@]host:port")
    if parts.scheme not in DEFAULT_PORTS:
        # The text before the colon may be a user name if the scheme was forgotten.
        quoted = f"is not supported: {parts.scheme!r}"
        problem = quoted if parts.netloc else "is missing or unknown"
        raise ProxyUnsupportedError(
            f"the scheme of the proxy URL {problem}; use one of {', '.join(DEFAULT_PORTS)}"
        )
    if not parts.hostname:
        raise ProxyURLError("the proxy URL has no host")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ProxyURLError(
            "the proxy URL has a path, query or fragment: '/', '?' and '#' in a password must be "
            "percent-encoded"
        )
    port = _port(parts)
    if port is None:
        raise ProxyURLError("the port in the proxy URL is not a number from 1 to 65535")
    address = _address(parts.hostname, port)
    if address is None:
        raise ProxyURLError("the host in the proxy URL is neither a host name nor an address")
    return ProxyURL(
        parts.scheme,
        address.host,
        port,
        _decode(parts.username),
        _decode(parts.password),
    )


def _split(url: str) -> SplitResult | None:
    """Split the URL, or return None; the parser's own exception would quote parts of it."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    """Return the port or the scheme's default; None if it is not a port number."""
    try:
        port = parts.port
    except ValueError:
        return None
    return DEFAULT_PORTS[parts.scheme] if port is None else port or None


def _address(host: str, port: int) -> Target | None:
    """Return the normalized host and port, or None; the exception would quote the host."""
    try:
        return parse_target(host, port)
    except ValueError:
        return None


def _decode(text: str | None) -> str | None:
    """Percent-decode a user name or password; an empty one counts as absent."""
    if not text:
        return None
    decoded = unquote(text, errors="replace")
    if "\N{REPLACEMENT CHARACTER}" in decoded:
        raise ProxyURLError("the credentials in the proxy URL are not percent-encoded UTF-8")
    if _CONTROL.search(decoded):
        raise ProxyURLError("the credentials in the proxy URL contain control characters")
    return decoded
