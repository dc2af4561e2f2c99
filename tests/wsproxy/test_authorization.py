"""What a proxy is told, request after request, and when another attempt is worth it."""

import pytest

from wsproxy import ProxyUnsupportedError, parse_proxy_url
from wsproxy.authorization import Auth, Authorization
from wsproxy.connect_reply import ConnectReply
from wsproxy.target import parse_target

TARGET = parse_target("example.com", 443)
BASIC = "Basic dTpw"


def authorization(auth: Auth, credentials: str = "u:p@") -> Authorization:
    return Authorization(parse_proxy_url(f"http://{credentials}proxy"), auth)


def asking(*challenges: str, status: int = 407) -> ConnectReply:
    return ConnectReply(status, "", tuple(("proxy-authenticate", each) for each in challenges))


@pytest.mark.parametrize(
    ("auth", "credentials", "first"),
    [
        ("any", "u:p@", BASIC),
        ("basic", "u:p@", BASIC),
        ("digest", "u:p@", None),
        ("any", "", None),
        ("basic", "", None),
        ("digest", "", None),
    ],
)
def test_the_first_request(auth: Auth, credentials: str, first: str | None) -> None:
    assert authorization(auth, credentials).value(TARGET) == first


@pytest.mark.parametrize("auth", ["any", "digest"])
def test_a_digest_challenge_is_answered_once(auth: Auth) -> None:
    told = authorization(auth)
    assert told.learn(asking("Basic realm=r", "Digest realm=r, nonce=n"))
    value = told.value(TARGET)
    assert value is not None
    assert value.startswith('Digest username="u", realm="r", nonce="n", uri="example.com:443"')
    assert not told.learn(asking("Digest realm=r, nonce=m"))


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    told = authorization("any")
    stale = asking("Digest realm=r, nonce=m, stale=TRUE")
    assert told.learn(asking("Digest realm=r, nonce=n"))
    assert told.learn(stale)
    assert 'nonce="m"' in (told.value(TARGET) or "")
    assert not told.learn(stale)


@pytest.mark.parametrize(
    ("auth", "credentials", "reply"),
    [
        ("basic", "u:p@", asking("Digest realm=r, nonce=n")),
        ("any", "", asking("Digest realm=r, nonce=n")),
        ("any", "u:p@", asking("Basic realm=r")),
        ("any", "u:p@", asking("Digest realm=r")),
        ("any", "u:p@", asking("NTLM")),
        ("any", "u:p@", asking()),
        ("any", "u:p@", asking("Digest realm=r, nonce=n", status=401)),
    ],
)
def test_not_worth_another_attempt(auth: Auth, credentials: str, reply: ConnectReply) -> None:
    told = authorization(auth, credentials)
    before = told.value(TARGET)
    assert not told.learn(reply)
    assert told.value(TARGET) == before


def test_digest_never_falls_back_to_basic() -> None:
    told = authorization("digest")
    assert not told.learn(asking("Basic realm=r"))
    assert told.value(TARGET) is None


def test_a_realm_comes_back_byte_for_byte() -> None:
    told = authorization("any")
    # The reply's head is read as Latin-1, and requests are sent as UTF-8.
    assert told.learn(asking('Digest realm="Café", nonce=n'.encode().decode("latin-1")))
    assert 'realm="Café"' in (told.value(TARGET) or "")
    assert authorization("any").learn(asking('Digest realm="\xe9", nonce=n'))


def test_basic_cannot_express_every_user_name() -> None:
    with pytest.raises(ProxyUnsupportedError):
        authorization("any", "a%3Ab:c@")
    assert authorization("digest", "a%3Ab:c@").learn(asking("Digest realm=r, nonce=n"))
