"""Makes a proxy's words fit for an exception: short, printable, without the credentials.

A hostile proxy may answer with terminal escapes, megabytes, or the password it was just given.
"""

from .connect_request import basic_credentials
from .errors import ProxyUnsupportedError
from .url import ProxyURL

__all__ = ["MAX_WORDS", "clean"]

# Characters of the proxy's words that are kept.
MAX_WORDS = 200


def clean(text: str, proxy: ProxyURL, limit: int = MAX_WORDS) -> str:
    """Return what a proxy said in a form that may be shown and logged.

    Args:
        text: the proxy's words.
        proxy: whose credentials are blotted out.
        limit: characters that are kept.
    """
    for secret in _secrets(proxy):
        text = text.replace(secret, "***")
    shown = "".join(char if char.isprintable() else "?" for char in text.strip())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _secrets(proxy: ProxyURL) -> list[str]:
    """Return what must not be seen, the longest first so that no part of it stays."""
    secrets = {proxy.username, proxy.password}
    try:
        basic = basic_credentials(proxy)
    except ProxyUnsupportedError:
        basic = None
    if basic is not None:
        secrets.add(basic.removeprefix("Basic "))
    return sorted((secret for secret in secrets if secret), key=len, reverse=True)
