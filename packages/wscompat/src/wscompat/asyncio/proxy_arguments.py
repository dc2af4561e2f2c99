"""The arguments of wscore for a connection through a proxy, and its failures as exceptions.

wsproxy does the work; it is imported when a proxy may be needed.
"""

from __future__ import annotations

import http
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from wscore.opening.tls_side import check_context

from ..datastructures import Headers
from ..exceptions import InvalidProxy, InvalidProxyMessage, InvalidProxyStatus, ProxyError
from ..http11 import Response
from ..proxy import get_proxy, parse_proxy
from ..uri import WebSocketURI

__all__ = ["PROXY_ARGUMENTS", "choose_proxy", "from_wsproxy", "proxy_arguments"]

#: The arguments for TLS with the proxy: those of `asyncio.loop.create_connection` with a prefix.
PROXY_ARGUMENTS = (
    "proxy_ssl",
    "proxy_server_hostname",
    "proxy_ssl_handshake_timeout",
    "proxy_ssl_shutdown_timeout",
)

# Each scheme, and whether the proxy is given names to resolve.
_SCHEMES = {
    "http": True,
    "https": True,
    "socks4": False,
    "socks4a": True,
    "socks5": False,
    "socks5h": True,
}


def choose_proxy(proxy: str | Literal[True] | None, uri: WebSocketURI) -> str | None:
    """Return the URL of the proxy to use, or None.

    Args:
        proxy: True for the one that the environment or the system configures for the URI.
        uri: where to connect to.
    """
    return get_proxy(uri) if proxy is True else proxy


def proxy_arguments(proxy: str, user_agent: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `wscore.ws_connect` for a connection through a proxy.

    Args:
        proxy: its URL.
        user_agent: the ``User-Agent`` of the request to it; None for none.
        given: the arguments of `connect` that are not about WebSocket, those that begin with
            ``proxy_`` among them.

    Raises:
        InvalidProxy: if the URL is not valid.
        TypeError: if ``proxy_ssl`` is not a context.
        ValueError: if it is one for servers, or an argument has no meaning with the scheme.
    """
    scheme = parse_proxy(proxy).scheme
    arguments = dict(given)
    tunnel_options = {
        name.removeprefix("proxy_"): arguments.pop(name)
        for name in PROXY_ARGUMENTS
        if name in arguments
    }
    arguments["proxy"] = proxy
    arguments["proxy_options"] = options = {
        "rdns": _SCHEMES[scheme],
        "timeout": None,  # the caller's timeout covers everything
        "user_agent": user_agent,
    }
    if scheme == "https":
        context = tunnel_options.pop("ssl", True)
        if context is None:
            raise ValueError("proxy_ssl=None is incompatible with an https:// proxy")
        if context is not True:
            check_context("proxy_ssl", context, "client")
            arguments["proxy_ssl_context"] = context
        tunnel_options.pop("ssl_shutdown_timeout", None)  # close_notify is not waited for
        options |= {f"proxy_{name}": value for name, value in tunnel_options.items()}
    elif scheme == "http" and tunnel_options:
        if tunnel_options.pop("ssl", None) is not None:
            raise ValueError("proxy_ssl argument is incompatible with an http:// proxy")
        for name in tunnel_options:
            raise ValueError(f"proxy_{name} is only meaningful with an https:// proxy")
    return arguments


def from_wsproxy(proxy: str, exc: OSError) -> Exception:
    """Return the exception of websockets for one that was raised while connecting.

    Args:
        proxy: the URL of the proxy.
        exc: the exception; the same is returned unless it is one of wsproxy's that has another
            name here.
    """
    import wsproxy

    is_socks = proxy.lower().startswith("socks")
    match exc:
        case wsproxy.ProxyURLError():
            return InvalidProxy(proxy, exc.message)
        case wsproxy.ProxyConnectionError(__cause__=OSError() as error) if not is_socks:
            return error
        case wsproxy.ProxyConnectionError():
            return exc
        case wsproxy.ProxyUnsupportedError():  # nothing was sent; only this text has the reason
            return ProxyError(exc.message)
        case wsproxy.ProxyError() if is_socks:
            return ProxyError("failed to connect to SOCKS proxy")
        case wsproxy.ProxyRefusedError() if exc.code is not None:
            return InvalidProxyStatus(_response(exc.code, exc.reason, exc.headers))
        case wsproxy.ProxyReplyError():
            return InvalidProxyMessage("did not receive a valid HTTP response from proxy")
        case wsproxy.ProxyError():
            return ProxyError(exc.message)
    return exc


def _response(code: int, reason: str | None, headers: Iterable[tuple[str, str]]) -> Response:
    phrase = http.HTTPStatus(code).phrase if code in list(http.HTTPStatus) else ""
    return Response(code, reason or phrase, Headers(headers))
