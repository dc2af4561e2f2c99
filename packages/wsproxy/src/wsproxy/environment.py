"""Finds the proxy that the environment or the system configures for a connection.

The rules are the standard library's: variables in either letter case, `no_proxy`, and on macOS and
Windows the system's settings. Nothing else may decide that a proxy is used.
"""

import os
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from .url import DEFAULT_PORTS

__all__ = ["proxy_from_environment"]

# Whose settings count, the first one that is there. WebSocket connections look like HTTPS to a
# proxy, since both are tunnels, so that proxy is asked before the one for plain HTTP.
_ORDER = {
    "ws": ("ws", "socks", "https", "http"),
    "wss": ("wss", "socks", "https"),
}


def proxy_from_environment(
    scheme: str, host: str, port: int, *, all_proxy: bool = True
) -> str | None:
    """Return the URL of the configured proxy, or None if there is to be none.

    For `ws`, the variables are `ws_proxy`, `socks_proxy`, `https_proxy` and `http_proxy`, in this
    order; for `wss`, `wss_proxy`, `socks_proxy` and `https_proxy`; for any other scheme, its own
    and `socks_proxy`. `all_proxy` comes last. A host in `no_proxy` (with or without port) has none.

    Args:
        scheme: of the URL that is to be reached, in lower case: `ws`, `wss`, `http`, `https`.
        host: its host; an IPv6 address with or without brackets.
        port: its port.
        all_proxy: whether `all_proxy` counts; the `websockets` package ignores it.

    Returns:
        A URL for `open_tunnel()`, with credentials if the setting has them. A setting without a
        scheme is taken as `http://`, or `socks5h://` if it is the system's for SOCKS.
    """
    if _nothing_is_configured():
        return None
    proxies = getproxies()
    order = _ORDER.get(scheme, (scheme, "socks"))
    for name in (*order, "all") if all_proxy else order:
        setting = proxies.get(name)
        if setting and not _is_bypassed(host, port):
            return _as_url(setting, "socks5h" if name == "socks" else "http")
    return None


def _nothing_is_configured() -> bool:
    """Whether the names of the variables already say so, which is the usual case.

    The standard library looks at all variables four times, and that takes longer than connecting.
    """
    has_other_settings = getproxies is not getproxies_environment
    return not has_other_settings and "_proxy" not in "\n".join(os.environ).lower()


def _is_bypassed(host: str, port: int) -> bool:
    """Whether there is to be no proxy for a host."""
    bare = host.strip("[]")
    # The standard library knows IPv6 addresses in the form in which they are listed.
    return bool(
        proxy_bypass(f"{bare}:{port}") or (":" in bare and proxy_bypass(f"[{bare}]:{port}"))
    )


def _as_url(setting: str, scheme: str) -> str:
    """Return the setting as a URL of the given scheme, if it has none of its own.

    The system's setting for SOCKS comes with `http://`, which the standard library has put there.
    """
    before, separator, rest = setting.partition("://")
    if not separator:
        return f"{scheme}://{setting}"
    if scheme == "socks5h" and before.lower() not in DEFAULT_PORTS.keys() - {"http"}:
        return f"{scheme}://{rest}"
    return setting
