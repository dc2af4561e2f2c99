"""Find the proxy that the environment or the system configures for a connection.

The rules are those of the standard library: variables in either letter case, `no_proxy`, and on
macOS and Windows the system's settings. Nothing else may select a proxy.
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
    """Return the URL of the configured proxy, or None to connect directly.

    For `ws`, the variables are `ws_proxy`, `socks_proxy`, `https_proxy` and `http_proxy`, in this
    order; for `wss`, `wss_proxy`, `socks_proxy` and `https_proxy`; for any other scheme, its own
    and `socks_proxy`. `all_proxy` comes last. No proxy is used for a host in `no_proxy` (with or
    without port).

    Args:
        scheme: scheme of the target's URL, in lower case: `ws`, `wss`, `http`, `https`.
        host: its host; an IPv6 address with or without brackets.
        port: its port.
        all_proxy: whether to use `all_proxy`; the `websockets` package ignores it.

    Returns:
        A URL for `open_tunnel()`, with credentials if the setting has them. A setting without a
        scheme is read as `http://`, or as `socks5h://` if it is the system's SOCKS setting.
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
    """Return whether the names of the variables rule out a proxy, which is the usual case.

    The standard library examines all variables four times, which takes longer than connecting.
    """
    has_other_settings = getproxies is not getproxies_environment
    return not has_other_settings and "_proxy" not in "\n".join(os.environ).lower()


def _is_bypassed(host: str, port: int) -> bool:
    """Return whether to connect to a host without a proxy."""
    bare = host.strip("[]")
    # The standard library compares IPv6 addresses literally, so try both forms.
    return bool(
        proxy_bypass(f"{bare}:{port}") or (":" in bare and proxy_bypass(f"[{bare}]:{port}"))
    )


def _as_url(setting: str, scheme: str) -> str:
    """Return the setting as a URL, with the given scheme if it has none.

    The standard library prepends `http://` to the system's SOCKS setting.
    """
    before, separator, rest = setting.partition("://")
    if not separator:
        return f"{scheme}://{setting}"
    if scheme == "socks5h" and before.lower() not in DEFAULT_PORTS.keys() - {"http"}:
        return f"{scheme}://{rest}"
    return setting
