"""Digest answers: the RFCs' own examples, and the fields of every variant."""

import hashlib
import re

import pytest

from wsproxy.challenge import Challenge, parse_challenges
from wsproxy.digest import digest_credentials, strongest_digest

# RFC 7616, section 3.9.1
MUFASA = (
    'realm="http-auth@example.org", qop="auth, auth-int", '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def challenge(text: str) -> Challenge:
    [parsed] = parse_challenges([f"Digest {text}"])
    return parsed


def fields(value: str) -> dict[str, str]:
    [parsed] = parse_challenges([value])
    return parsed.parameters


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    value = digest_credentials(
        challenge(f"{MUFASA}, algorithm={algorithm}"),
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce=CNONCE,
    )
    assert value == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{CNONCE}", '
        f'response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )


def test_the_second_example_of_rfc_7616_as_its_erratum_4897_corrects_it() -> None:
    value = digest_credentials(
        challenge(
            'realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
            'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
            'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
        ),
        method="GET",
        uri="/doe.json",
        username="Jäsøn Doe",
        password="Secret, or not?",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    told = fields(value)
    assert told["username"] == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert told["response"] == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert told["userhash"] == "true"


def test_the_example_of_rfc_2617() -> None:
    value = digest_credentials(
        challenge(
            'realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ),
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    assert fields(value)["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in fields(value)


def answer(text: str, **changes: str) -> dict[str, str]:
    options = {"username": "u", "password": "p", "cnonce": "c", **changes}
    return fields(
        digest_credentials(challenge(text), method="CONNECT", uri="h:1", count=2, **options)
    )


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_a_proxy_that_knows_no_qop() -> None:
    told = answer('realm="r", nonce="n"')
    assert told["response"] == md5(f"{md5('u:r:p')}:n:{md5('CONNECT:h:1')}")
    assert told.keys() == {"username", "realm", "nonce", "uri", "response"}


def test_the_count_is_part_of_the_answer() -> None:
    told = answer('realm="r", nonce="n", qop="auth"')
    assert told["nc"] == "00000002"
    assert told["response"] == md5(f"{md5('u:r:p')}:n:00000002:c:auth:{md5('CONNECT:h:1')}")


def test_a_session() -> None:
    told = answer('realm="r", nonce="n", qop="auth", algorithm=md5-sess')
    secret = md5(f"{md5('u:r:p')}:n:c")
    assert told["response"] == md5(f"{secret}:n:00000002:c:auth:{md5('CONNECT:h:1')}")
    assert told["algorithm"] == "md5-sess"


def test_a_hashed_user_name() -> None:
    told = answer('realm="r", nonce="n", userhash=true')
    assert told["username"] == md5("u:r")
    assert told["userhash"] == "true"


def test_a_user_name_beyond_ascii() -> None:
    told = answer('realm="r", nonce="n"', username="usér")
    assert told["username*"] == "UTF-8''us%C3%A9r"
    assert told["response"] == md5(f"{md5('usér:r:p')}:n:{md5('CONNECT:h:1')}")


def test_quotes_are_escaped() -> None:
    value = digest_credentials(
        challenge('realm="a\\"b\\\\c", nonce="n"'),
        method="M",
        uri="u",
        username='x"y',
        password="p",
    )
    assert r'username="x\"y", realm="a\"b\\c"' in value
    assert fields(value)["realm"] == 'a"b\\c'


def test_every_answer_has_a_nonce_of_its_own() -> None:
    asked = challenge('realm="r", nonce="n", qop="auth"')
    told = {
        fields(digest_credentials(asked, method="M", uri="u", username="u", password="p"))["cnonce"]
        for _ in range(10)
    }
    assert len(told) == 10
    assert all(re.fullmatch(r"[\w-]{32}", cnonce) for cnonce in told)


def test_the_password_is_not_in_the_answer() -> None:
    value = digest_credentials(
        challenge(MUFASA), method="M", uri="u", username="u", password="hunter2"
    )
    assert "hunter2" not in value


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (["nonce=a", "nonce=b, algorithm=SHA-256", "nonce=c, algorithm=MD5-sess"], "b"),
        (["nonce=a, algorithm=SHA-256-sess", "nonce=b, algorithm=MD5"], "a"),
        (["nonce=a", "nonce=b"], "a"),
        (["nonce=a, algorithm=SHA-1", "nonce=b"], "b"),
        (["nonce=a, algorithm=SHA-256, qop=auth-int", "nonce=b"], "b"),
        (["realm=a"], None),
        (["nonce=a, algorithm=unknown"], None),
        ([], None),
    ],
)
def test_the_strongest_that_can_be_answered(offers: list[str], chosen: str | None) -> None:
    offered = parse_challenges(["Basic realm=x", *(f"Digest {offer}" for offer in offers)])
    strongest = strongest_digest(offered)
    assert (strongest and strongest.parameters["nonce"]) == chosen
