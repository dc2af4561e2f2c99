"""The errors of wsproxy: one tree, rooted in `ProxyError`.

An error tells which proxy failed, in what way and in the proxy's own words. It must never carry a
user name, a password or anything made from them: exceptions end up in logs.
"""

__all__ = [
    "ProxyAuthenticationError",
    "ProxyConnectionError",
    "ProxyError",
    "ProxyRefusedError",
    "ProxyReplyError",
    "ProxyTimeoutError",
    "ProxyURLError",
    "ProxyUnsupportedError",
]


class ProxyError(OSError):
    """No tunnel could be opened. The base of every error that wsproxy raises on its own.

    It is an `OSError`, so that code which handles a connection that could not be made handles
    this one too.

    Attributes:
        message: what went wrong, without any credentials.
        proxy_host: host of the proxy that failed, or None if none was reached or read yet.
        proxy_port: its port, or None.
        code: HTTP status or SOCKS reply code, or None if the proxy gave none.
        reason: the proxy's own words (bounded, printable), or None.
        headers: fields of the proxy's HTTP reply as (name, value) pairs; empty if there are none.
    """

    def __init__(
        self,
        message: str,
        *,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        code: int | None = None,
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.proxy_host = proxy_host
        self.proxy_port = proxy_port
        self.code = code
        self.reason = reason
        self.headers = headers

    def __str__(self) -> str:
        # OSError would print its errno instead once that is set.
        return self.message


class ProxyURLError(ProxyError, ValueError):
    """The proxy's URL is malformed. The text never repeats the URL, which may hold a password."""


class ProxyUnsupportedError(ProxyError, ValueError):
    """What was asked for is beyond this kind of proxy or beyond wsproxy: a scheme, for example."""


class ProxyConnectionError(ProxyError):
    """A host could not be reached from here: a name that does not resolve, a refused connection.

    `errno` is the system's error number where the system gave one.
    """


class ProxyReplyError(ProxyError):
    """The proxy did not give a whole, well-formed, reasonably short answer before it hung up."""


class ProxyRefusedError(ProxyError):
    """The proxy answered properly, and the answer is no. `code` and `reason` say why."""


class ProxyAuthenticationError(ProxyRefusedError):
    """The proxy wants credentials, or other ones."""


class ProxyTimeoutError(ProxyError, TimeoutError):
    """The tunnel did not stand within the deadline."""
