"""Answer digest challenges (RFC 7616, and RFC 2069 for proxies without `qop`). No I/O.

The password must leave this file only as part of a hash.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from urllib.parse import quote

from .challenge import Challenge

__all__ = ["digest_credentials", "strongest_digest"]

Hash = Callable[[bytes], str]


def _hasher(name: str) -> Hash:
    def hashed(data: bytes) -> str:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return hashed


# The strongest first (RFC 7616, section 3.3; hashlib's names).
_ALGORITHMS: dict[str, Hash] = {
    "SHA-512-256": _hasher("sha512_256"),
    "SHA-256": _hasher("sha256"),
    "MD5": _hasher("md5"),
}
_SESSION = "-SESS"


def strongest_digest(challenges: Sequence[Challenge]) -> Challenge | None:
    """Return the digest challenge with the strongest algorithm that can be answered, or None."""
    usable = [challenge for challenge in challenges if _is_usable(challenge)]
    ranking = list(_ALGORITHMS)
    return min(usable, key=lambda challenge: ranking.index(_algorithm(challenge)), default=None)


def digest_credentials(
    challenge: Challenge,
    *,
    method: str,
    uri: str,
    username: str,
    password: str,
    count: int = 1,
    cnonce: str | None = None,
) -> str:
    """Return the value of `Proxy-Authorization` that answers a challenge (RFC 7616, section 3.4).

    Args:
        challenge: one that `strongest_digest()` returned.
        method: the request's method.
        uri: the request's target, exactly as in the request line.
        username: user name.
        password: password.
        count: how many requests, including this one, have used the challenge's nonce.
        cnonce: the client's nonce; a random one if None.
    """
    asked = challenge.parameters
    realm, nonce = asked.get("realm", ""), asked["nonce"]
    hashed = _ALGORITHMS[_algorithm(challenge)]
    cnonce = secrets.token_urlsafe(24) if cnonce is None else cnonce
    secret = hashed(f"{username}:{realm}:{password}".encode())
    if _is_session(challenge):
        secret = hashed(f"{secret}:{nonce}:{cnonce}".encode())
    request = hashed(f"{method}:{uri}".encode())
    fields = [_user_field(username, realm, asked, hashed)]
    fields += [f"realm={_quoted(realm)}", f"nonce={_quoted(nonce)}", f"uri={_quoted(uri)}"]
    if "algorithm" in asked:
        fields.append(f"algorithm={asked['algorithm']}")
    if "qop" in asked:
        proof = f"{secret}:{nonce}:{count:08x}:{cnonce}:auth:{request}"
        fields += ["qop=auth", f"nc={count:08x}"]
    else:
        proof = f"{secret}:{nonce}:{request}"
    if "qop" in asked or _is_session(challenge):
        fields.append(f"cnonce={_quoted(cnonce)}")
    fields.append(f'response="{hashed(proof.encode())}"')
    if "opaque" in asked:
        fields.append(f"opaque={_quoted(asked['opaque'])}")
    if _wants_userhash(asked):
        fields.append("userhash=true")
    return "Digest " + ", ".join(fields)


def _is_usable(challenge: Challenge) -> bool:
    """Return whether it is a digest challenge that this module can answer."""
    asked = challenge.parameters
    if challenge.scheme != "digest" or "nonce" not in asked:
        return False
    qops = [qop.strip().lower() for qop in asked.get("qop", "auth").split(",")]
    if "auth" not in qops or _algorithm(challenge) not in _ALGORITHMS:
        return False
    try:
        # Some builds of OpenSSL lack MD5 or SHA-512/256.
        _ALGORITHMS[_algorithm(challenge)](b"")
    except ValueError:
        return False
    return True


def _algorithm(challenge: Challenge) -> str:
    return challenge.parameters.get("algorithm", "MD5").upper().removesuffix(_SESSION)


def _is_session(challenge: Challenge) -> bool:
    return challenge.parameters.get("algorithm", "").upper().endswith(_SESSION)


def _wants_userhash(asked: dict[str, str]) -> bool:
    return asked.get("userhash", "").lower() == "true"


def _user_field(username: str, realm: str, asked: dict[str, str], hashed: Hash) -> str:
    """Return the user name's parameter: hashed if requested, encoded if it is not ASCII."""
    if _wants_userhash(asked):
        return f'username="{hashed(f"{username}:{realm}".encode())}"'
    if not username.isascii():
        return f"username*=UTF-8''{quote(username, safe='')}"
    return f"username={_quoted(username)}"


def _quoted(text: str) -> str:
    """Return a quoted-string; text from a header or a URL cannot contain line ends."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
