"""Which proxy a connection goes through, and what its failures are called.

wsproxy does the work; it is imported when a proxy may be needed.
"""

from __future__ import annotations

import http
from collections.abc import Iterable
from typing import Literal

from ..datastructures import Headers
from ..exceptions import InvalidProxy, InvalidProxyMessage, InvalidProxyStatus, ProxyError
from ..http11 import Response
from ..uri import WebSocketURI

__all__ = ["choose_proxy", "from_wsproxy"]


def choose_proxy(proxy: str | Literal[True] | None, uri: WebSocketURI) -> str | None:
    """The proxy to go through, or None.

    Args:
        proxy: True for the one that the environment or the system configures for the URI.
        uri: where to connect to.
    """
    if proxy is not True:
        return proxy
    from wsproxy import proxy_from_environment

    scheme = "wss" if uri.secure else "ws"
    return proxy_from_environment(scheme, uri.host, uri.port, all_proxy=False)


def from_wsproxy(proxy: str, exc: OSError) -> Exception:
    """The exception to raise for one that was raised while connecting.

    Args:
        proxy: the URL of the proxy.
        exc: what was raised; the same is returned unless it is one of wsproxy's that has another
            name here.
    """
    import wsproxy

    scheme = proxy.partition("://")[0].lower()
    match exc:
        case wsproxy.ProxyURLError():
            return InvalidProxy(proxy, exc.message)
        case wsproxy.ProxyUnsupportedError() if scheme not in _SCHEMES:
            return InvalidProxy(proxy, f"scheme {scheme} isn't supported")
        case wsproxy.ProxyConnectionError() | wsproxy.ProxyTimeoutError():
            return exc
        case wsproxy.ProxyError() if scheme.startswith("socks"):
            return ProxyError("failed to connect to SOCKS proxy")
        case wsproxy.ProxyRefusedError() if exc.code is not None:
            return InvalidProxyStatus(_response(exc.code, exc.reason, exc.headers))
        case wsproxy.ProxyReplyError():
            return InvalidProxyMessage("did not receive a valid HTTP response from proxy")
        case wsproxy.ProxyError():
            return ProxyError(exc.message)
    return exc


_SCHEMES = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}


def _response(code: int, reason: str | None, headers: Iterable[tuple[str, str]]) -> Response:
    phrase = http.HTTPStatus(code).phrase if code in list(http.HTTPStatus) else ""
    return Response(code, reason or phrase, Headers(headers))
