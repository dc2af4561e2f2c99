"""Makes a proxy's words fit for an exception: short, printable, without the credentials.

A hostile proxy may answer with terminal escapes, megabytes, or the password it was just given. But
what looks like a credential by chance must stay: a gap in a text that everybody knows gives away
what belongs there. So only whole words are blotted out, and none that HTTP itself uses.
"""

import re
from http import HTTPStatus
from urllib.parse import quote

from .connect_request import basic_credentials
from .errors import ProxyUnsupportedError
from .url import ProxyURL

__all__ = ["MAX_WORDS", "clean"]

# Characters of the proxy's words that are kept.
MAX_WORDS = 200

# Shorter user names and passwords are not blotted out on their own: they occur by chance.
_MIN_SECRET = 4

# What stands in replies anyway: the words of reason phrases and of challenges.
_COMMON = frozenset(
    word.casefold()
    for text in (*(status.phrase for status in HTTPStatus), "Basic Digest Bearer realm proxy")
    for word in text.split()
)


def clean(text: str, proxy: ProxyURL | None = None, limit: int = MAX_WORDS) -> str:
    """Return what a proxy said in a form that may be shown and logged.

    Args:
        text: the proxy's words.
        proxy: whose credentials are blotted out; None if there cannot be any in the text.
        limit: characters that are kept.
    """
    if proxy is not None:
        for secret in _secrets(proxy):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    shown = "".join(char if char.isprintable() else "?" for char in text.strip())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _secrets(proxy: ProxyURL) -> list[str]:
    """Return what must not be seen, the longest first so that no part of it stays."""
    user, password = proxy.username or "", proxy.password or ""
    # As in a text, in a URL, in a header field. The pair is blotted out however short it is.
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
