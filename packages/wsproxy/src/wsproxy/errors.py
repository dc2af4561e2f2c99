"""The exceptions of wsproxy: one hierarchy, with `ProxyError` as its root.

An exception has the proxy that failed, the kind of failure and the proxy's own text. It must never
contain a user name, a password or anything derived from them: exceptions end up in logs.
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
    """No tunnel could be opened. The base class of all exceptions of wsproxy.

    It is an `OSError`, so that code which handles failed connections handles this one, too.

    Attributes:
        message: description of the failure, without any credentials.
        proxy_host: host of the proxy that failed, or None if it is not known yet.
        proxy_port: its port, or None.
        code: HTTP status or SOCKS reply code, or None if the proxy sent none.
        reason: the proxy's own text (of limited length, printable), or None.
        headers: headers of the proxy's HTTP response as (name, value) pairs; empty without one.
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
        # Once errno is set, OSError would print that instead.
        return self.message


class ProxyURLError(ProxyError, ValueError):
    """The proxy's URL is malformed. The text never quotes the URL, which may contain a password."""


class ProxyUnsupportedError(ProxyError, ValueError):
    """Not supported by this kind of proxy or by wsproxy: a scheme, for example."""


class ProxyConnectionError(ProxyError):
    """The client could not reach a host: the name does not resolve, the connection is refused.

    `errno` is the system's error number, if there is one.
    """


class ProxyReplyError(ProxyError):
    """The proxy's reply is malformed, too long or incomplete."""


class ProxyRefusedError(ProxyError):
    """The proxy refused the tunnel. `code` and `reason` give the reason."""


class ProxyAuthenticationError(ProxyRefusedError):
    """The proxy requires credentials, or other ones."""


class ProxyTimeoutError(ProxyError, TimeoutError):
    """The tunnel was not open before the deadline."""
