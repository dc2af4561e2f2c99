"""Asks a SOCKS proxy for a tunnel, over a socket to it that already stands.

python-socks speaks the protocol. It must not open connections itself, so that there is one owner
of every socket and one place that closes it: it is given the connected socket as if that came from
a proxy it forwards through.
"""

import socket
from typing import Any

import python_socks
from python_socks.async_.asyncio import Proxy

from .errors import (
    ProxyAuthenticationError,
    ProxyError,
    ProxyRefusedError,
    ProxyReplyError,
    ProxyUnsupportedError,
)
from .redact import clean
from .target import Target
from .url import ProxyURL

__all__ = ["ask_socks", "check_socks"]

# What one length byte can say (RFC 1928, section 5; RFC 1929, section 2).
_MAX_FIELD = 255

# The deadline is the caller's; python-socks would take None for its own default, 60 seconds.
_NO_TIMEOUT = 365 * 24 * 3600.0

# SOCKS4 replies that are about who asks: no identd here, or one that names another user.
_SOCKS4_IDENTITY = (92, 93)


class _Connected(Proxy):
    """The step before: it hands on a connection instead of making one."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(python_socks.ProxyType.SOCKS5, "", 0)
        self._connected_socket = sock

    async def connect(
        self, dest_host: str, dest_port: int, timeout: float | None = None, **kwargs: Any
    ) -> socket.socket:
        return self._connected_socket


def check_socks(proxy: ProxyURL, target: Target) -> None:
    """Refuse what the proxy's protocol cannot say, before anything is sent.

    Raises:
        ProxyUnsupportedError: credentials or a target that do not fit into the protocol.
    """
    problem = None
    credentials = (proxy.username or "", proxy.password or "")
    if not all(text.isascii() for text in credentials):
        problem = "SOCKS credentials are limited to ASCII"
    elif any(len(text) > _MAX_FIELD for text in (*credentials, target.host)):
        problem = f"SOCKS user names, passwords and host names have at most {_MAX_FIELD} bytes"
    elif proxy.scheme.startswith("socks5") and any(credentials) and not all(credentials):
        # A field has 1 to 255 bytes (RFC 1929, section 2). Without this python-socks would offer
        # no credentials at all.
        problem = "SOCKS5 takes a user name and a password, or neither: none of them may be empty"
    elif proxy.scheme.startswith("socks4") and target.ip_version == 6:
        problem = "SOCKS4 has no room for IPv6 addresses"
    if problem is not None:
        raise ProxyUnsupportedError(problem, proxy_host=proxy.host, proxy_port=proxy.port)


async def ask_socks(sock: socket.socket, proxy: ProxyURL, target: Target) -> None:
    """Negotiate a tunnel to the target. A name is left to the proxy to resolve.

    It takes as long as the proxy takes: the deadline is the caller's.

    Args:
        sock: non-blocking, connected to the proxy. It stays the caller's, also after an error.
        proxy: which protocol, and with which credentials.
        target: where to; checked by `check_socks()`.

    Raises:
        ProxyError: the proxy refused, or did not speak SOCKS.
    """
    version = python_socks.ProxyType.SOCKS5
    if proxy.scheme.startswith("socks4"):
        version = python_socks.ProxyType.SOCKS4
    negotiation = Proxy.create(
        version,
        proxy.host,
        proxy.port,
        username=proxy.username,
        password=proxy.password,
        rdns=target.ip_version is None,
        forward=_Connected(sock),
    )
    try:
        await negotiation.connect(target.host, target.port, timeout=_NO_TIMEOUT)
    except python_socks.ProxyError as error:
        raise _translated(error, proxy) from error
    except OSError as error:
        raise ProxyReplyError(
            f"proxy {proxy} gave no valid SOCKS reply: {error}",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from error


def _translated(error: python_socks.ProxyError, proxy: ProxyURL) -> ProxyError:
    """Return our error for one of python-socks, which has a single class and an optional code.

    Its texts are its own: nothing in them comes from the proxy.
    """
    words = clean(str(error))
    code = error.error_code
    if code is None and "closed" in words:
        words = (
            "it closed the connection instead of replying, as OpenSSH (ssh -D) does when it cannot "
            "reach the target"
        )
    if (
        # The methods and the password step (RFC 1928, section 3; RFC 1929) have no reply code.
        (code is None and "authentication" in words.lower())
        or (proxy.scheme.startswith("socks4") and code in _SOCKS4_IDENTITY)
    ):
        kind: type[ProxyError] = ProxyAuthenticationError
    else:
        kind = ProxyReplyError if code is None else ProxyRefusedError
    verb = "gave no valid SOCKS reply" if kind is ProxyReplyError else "refused the tunnel"
    return kind(
        f"proxy {proxy} {verb}: {words}" + (f" (reply {code})" if code is not None else ""),
        proxy_host=proxy.host,
        proxy_port=proxy.port,
        code=code,
        reason=words,
    )
