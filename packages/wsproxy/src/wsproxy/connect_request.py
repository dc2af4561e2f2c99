"""Write HTTP CONNECT requests (RFC 9110, section 9.3.6). No I/O.

External data must not end a line early: header names and values are validated here.
"""

import base64
import re
from collections.abc import Iterable, Mapping

from .errors import ProxyUnsupportedError
from .target import Target
from .url import ProxyURL

__all__ = ["Headers", "basic_credentials", "check_headers", "connect_request"]

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

# Field names are tokens, values have no line ends or NUL (RFC 9110, sections 5.1 and 5.5).
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_FIELD_VALUE_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Headers that wsproxy writes itself, or that frame the request; a second one would be ambiguous.
_OWN_FIELDS = frozenset({"host", "content-length", "transfer-encoding"})


def check_headers(headers: Headers | None) -> tuple[tuple[str, str], ...]:
    """Validate extra headers and return them as pairs.

    Raises:
        ValueError: a name or value is not valid in a request, or wsproxy writes this header
            itself. The text does not quote the value.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    checked = tuple((name, value.strip(" \t")) for name, value in pairs)
    for name, value in checked:
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(f"invalid header name: {name!r}")
        if name.lower() in _OWN_FIELDS:
            raise ValueError(f"the header {name} of a CONNECT request cannot be replaced")
        if _FIELD_VALUE_FORBIDDEN.search(value):
            raise ValueError(f"the value of the header {name} contains control characters")
    return checked


def connect_request(target: Target, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a CONNECT request for the target, with the given (validated) headers."""
    lines = [f"CONNECT {target.authority} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join((*lines, "", "")).encode()


def basic_credentials(proxy: ProxyURL) -> str | None:
    """Return the value of Proxy-Authorization for basic authentication (RFC 7617), if any.

    Raises:
        ProxyUnsupportedError: the user name contains a colon, which the scheme does not allow.
    """
    if proxy.username is None and proxy.password is None:
        return None
    if ":" in (proxy.username or ""):
        raise ProxyUnsupportedError(
            "a user name with a colon cannot be used with basic authentication",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        )
    pair = f"{proxy.username or ''}:{proxy.password or ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
