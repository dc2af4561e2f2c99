"""WebSocket URIs (RFC 6455, 3)."""

from __future__ import annotations

import functools
import urllib.parse
from dataclasses import dataclass

from .exceptions import InvalidURI

__all__ = ["WebSocketURI", "cached_uri", "check_characters", "parse_uri"]

_RESERVED = ":/?#[]@!$&'()*+,;="  # they keep their meaning in an internationalised URI (RFC 3987)
_DEFAULT_PORTS = {"ws": 80, "wss": 443}


@dataclass
class WebSocketURI:
    """The parts of a URI.

    Attributes:
        secure: whether it is ``wss``.
        host: the host in lower case, without brackets.
        port: the port, the scheme's own if the URI names none.
        path: the path, perhaps empty.
        query: the query, perhaps empty.
        username: percent-decoded, or None.
        password: percent-decoded, or None.
    """

    secure: bool
    host: str
    port: int
    path: str
    query: str
    username: str | None = None
    password: str | None = None

    @property
    def resource_name(self) -> str:
        """Path and query, as they stand in the request."""
        path = self.path or "/"
        return f"{path}?{self.query}" if self.query else path

    @property
    def user_info(self) -> tuple[str, str] | None:
        """User name and password, or None."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def parse_uri(uri: str) -> WebSocketURI:
    """Parse a URI.

    Args:
        uri: an absolute ``ws`` or ``wss`` URI.

    Raises:
        InvalidURI: if it is another one, or malformed.
    """
    try:
        parts = urllib.parse.urlsplit(uri)
        port = parts.port
    except ValueError as exc:
        raise InvalidURI(uri, str(exc)) from exc
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidURI(uri, "scheme isn't ws or wss")
    if not parts.hostname:
        raise InvalidURI(uri, "hostname isn't provided")
    if parts.fragment:
        raise InvalidURI(uri, "fragment identifier is meaningless")
    if (parts.username is None) != (parts.password is None):
        raise InvalidURI(uri, "username provided without password")
    return WebSocketURI(
        secure=parts.scheme == "wss",
        host=_ascii_host(uri, parts.hostname),
        port=port or _DEFAULT_PORTS[parts.scheme],
        path=_quoted(parts.path),
        query=_quoted(parts.query),
        username=None if parts.username is None else urllib.parse.unquote(parts.username),
        password=None if parts.password is None else urllib.parse.unquote(parts.password),
    )


#: What `parse_uri` makes of a URI; the same object each time, so never to be changed.
cached_uri = functools.lru_cache(maxsize=128)(parse_uri)


def check_characters(uri: str) -> None:
    """Refuse characters that would break the request line; `parse_uri` allows them, as websockets.

    Raises:
        InvalidURI: if there is white space or a control character.
    """
    if any(character <= " " or character == "\x7f" for character in uri):
        raise InvalidURI(uri, "it contains white space or control characters")


def _ascii_host(uri: str, host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise InvalidURI(uri, str(exc)) from exc


def _quoted(text: str) -> str:
    """Return the text with all non-ASCII characters percent-encoded."""
    return text if text.isascii() else urllib.parse.quote(text, safe=_RESERVED + "%~")
