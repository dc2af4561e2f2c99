"""Request a tunnel from a SOCKS proxy over an existing socket to it.

python-socks implements the protocol. It must not open connections itself, so that every socket has
one owner and one place that closes it: it gets the connected socket as if it came from a proxy that
it forwards through.
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

# The maximum for one length byte (RFC 1928, section 5; RFC 1929, section 2).
_MAX_FIELD = 255

# The caller sets the deadline; python-socks would replace None by its own default, 60 seconds.
_NO_TIMEOUT = 365 * 24 * 3600.0

# SOCKS4 replies about the client's identity: no identd, or one that reports another user.
_SOCKS4_IDENTITY = (92, 93)


class _Connected(Proxy):
    """The previous proxy of the chain, which returns a given connection instead of opening one."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(python_socks.ProxyType.SOCKS5, "", 0)
        self._connected_socket = sock

    async def connect(
        self, dest_host: str, dest_port: int, timeout: float | None = None, **kwargs: Any
    ) -> socket.socket:
        return self._connected_socket


def check_socks(proxy: ProxyURL, target: Target) -> None:
    """Reject values that the proxy's protocol cannot represent, before anything is sent.

    Raises:
        ProxyUnsupportedError: the protocol cannot represent the credentials or the target.
    """
    problem = None
    credentials = (proxy.username or "", proxy.password or "")
    if not all(text.isascii() for text in credentials):
        problem = "SOCKS credentials must be ASCII"
    elif any(len(text) > _MAX_FIELD for text in (*credentials, target.host)):
        problem = f"SOCKS user names, passwords and host names are limited to {_MAX_FIELD} bytes"
    elif proxy.scheme.startswith("socks5") and any(credentials) and not all(credentials):
        # A field has 1 to 255 bytes (RFC 1929, section 2). Without this check python-socks would
        # send no credentials at all.
        problem = (
            "SOCKS5 requires a user name and a password, or neither: none of them may be empty"
        )
    elif proxy.scheme.startswith("socks4") and target.ip_version == 6:
        problem = "SOCKS4 does not support IPv6 addresses"
    if problem is not None:
        raise ProxyUnsupportedError(problem, proxy_host=proxy.host, proxy_port=proxy.port)


async def ask_socks(sock: socket.socket, proxy: ProxyURL, target: Target) -> None:
    """Negotiate a tunnel to the target. The proxy resolves a name.

    There is no time limit here: the caller sets the deadline.

    Args:
        sock: non-blocking, connected to the proxy. The caller owns it, even after an error.
        proxy: the protocol and the credentials.
        target: the address to connect to, validated by `check_socks()`.

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
    except python_socks.ProxyError as exc:
        raise _translated(exc, proxy) from exc
    except OSError as exc:
        raise ProxyReplyError(
            f"proxy {proxy} sent no valid SOCKS reply: {exc}",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from exc


def _translated(exc: python_socks.ProxyError, proxy: ProxyURL) -> ProxyError:
    """Convert an exception of python-socks, which has a single class and an optional code.

    Its texts are its own; they contain nothing from the proxy.
    """
    words = clean(str(exc))
    code = exc.error_code
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
    verb = "sent no valid SOCKS reply" if kind is ProxyReplyError else "refused the tunnel"
    return kind(
        f"proxy {proxy} {verb}: {words}" + (f" (reply {code})" if code is not None else ""),
        proxy_host=proxy.host,
        proxy_port=proxy.port,
        code=code,
        reason=words,
    )
