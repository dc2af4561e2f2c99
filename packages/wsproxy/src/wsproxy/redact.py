"""Make a proxy's text suitable for an exception: short, printable, without the credentials.

A hostile proxy may reply with terminal escapes, megabytes, or the password that it has received.
But text that equals a credential by chance must stay: a gap in a well-known text reveals the
missing part. So only whole words are masked, and none that HTTP itself uses.
"""

import re
from http import HTTPStatus
from urllib.parse import quote

from .connect_request import basic_credentials
from .errors import ProxyUnsupportedError
from .url import ProxyURL

__all__ = ["MAX_WORDS", "clean"]

# Maximum number of characters of the proxy's text.
MAX_WORDS = 200

# Shorter user names and passwords are not masked on their own: they occur by chance.
_MIN_SECRET = 4

# Words that occur in responses anyway: those of reason phrases and of challenges.
_COMMON = frozenset(
    word.casefold()
    for text in (*(status.phrase for status in HTTPStatus), "Basic Digest Bearer realm proxy")
    for word in text.split()
)


def clean(text: str, proxy: ProxyURL | None = None, limit: int = MAX_WORDS) -> str:
    """Return a proxy's text in a form that may be shown and logged.

    Args:
        text: the proxy's text.
        proxy: the proxy whose credentials are masked; None if the text cannot contain any.
        limit: maximum number of characters.
    """
    if proxy is not None:
        for secret in _secrets(proxy):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    shown = "".join(char if char.isprintable() else "?" for char in text.strip())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _secrets(proxy: ProxyURL) -> list[str]:
    """Return the strings to mask, the longest first so that no part of one remains."""
    user, password = proxy.username or "", proxy.password or ""
    # As in a text, in a URL, in a header. The pair is masked however short it is.
    pairs = {f"{user}:{password}", f"{quote(user, safe='')}:{quote(password, safe='')}"}
    secrets = {pair for pair in pairs if user and password}
    try:
        basic = basic_credentials(proxy)
    except ProxyUnsupportedError:
        basic = None
    if basic is not None:
        secrets.add(basic.removeprefix("Basic "))
    secrets |= {
        form
        for secret in (user, password)
        if len(secret) >= _MIN_SECRET and secret.casefold() not in _COMMON
        for form in (secret, quote(secret, safe=""))
    }
    return sorted(secrets, key=len, reverse=True)
