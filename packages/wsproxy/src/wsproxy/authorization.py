"""Choose the value of `Proxy-Authorization` for one proxy, over all attempts of one tunnel.

Basic credentials reveal the password; if the caller requires digest, they must never be sent.
"""

from typing import Literal

from .challenge import Challenge, parse_challenges
from .connect_reply import ConnectReply
from .connect_request import basic_credentials
from .digest import digest_credentials, strongest_digest
from .target import Target
from .url import ProxyURL

__all__ = ["Auth", "Authorization"]

Auth = Literal["any", "basic", "digest"]

# A challenge and, if its nonce is stale at once, one more.
_MAX_CHALLENGES = 2


class Authorization:
    """The credentials for one proxy.

    Args:
        proxy: its URL, with or without credentials.
        auth: `basic` sends the credentials with the first request; `digest` waits for a challenge
            and answers only digest; `any` does the first, and the second if the proxy requires it.
    """

    def __init__(self, proxy: ProxyURL, auth: Auth) -> None:
        self._proxy = proxy
        self._auth = auth
        self._basic = basic_credentials(proxy) if auth != "digest" else None
        self._challenge: Challenge | None = None
        self._challenges = 0
        self._has_credentials = proxy.username is not None or proxy.password is not None

    def value(self, target: Target) -> str | None:
        """Return the value for the next request, or None to omit the header."""
        if self._challenge is None:
            return self._basic
        return digest_credentials(
            self._challenge,
            method="CONNECT",
            uri=target.authority,
            username=self._proxy.username or "",
            password=self._proxy.password or "",
        )

    def learn(self, reply: ConnectReply) -> bool:
        """Process a refusal; return whether another attempt may succeed."""
        if reply.status != 407 or not self._has_credentials or self._auth == "basic":
            return False
        values = [_utf8(value) for value in reply.values("Proxy-Authenticate")]
        challenge = strongest_digest(parse_challenges(values))
        if challenge is None or self._challenges == _MAX_CHALLENGES:
            return False
        # An answer has already been refused: only a stale nonce justifies another attempt.
        if self._challenge is not None and challenge.parameters.get("stale", "").lower() != "true":
            return False
        self._challenge = challenge
        self._challenges += 1
        return True


def _utf8(value: str) -> str:
    """Decode a header's value as UTF-8 if possible; the answer has to repeat its bytes."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value
