"""Challenges: what real proxies and RFCs write, and what has to be survived."""

import pytest

from wsproxy.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Basic realm="proxy"', [Challenge("basic", {"realm": "proxy"})]),
        ("Negotiate", [Challenge("negotiate", {})]),
        ("NTLM TlRMTVNTUAACAAAA==", [Challenge("ntlm", {})]),
        (
            'Digest realm="a, b", nonce="x=y", qop="auth,auth-int", stale=false',
            [
                Challenge(
                    "digest",
                    {"realm": "a, b", "nonce": "x=y", "qop": "auth,auth-int", "stale": "false"},
                )
            ],
        ),
        # RFC 9110, section 11.6.1
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            [
                Challenge("basic", {"realm": "simple"}),
                Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
            ],
        ),
        (
            "Negotiate, NTLM abc=, Digest nonce=n , Basic realm = x",
            [
                Challenge("negotiate", {}),
                Challenge("ntlm", {}),
                Challenge("digest", {"nonce": "n"}),
                Challenge("basic", {"realm": "x"}),
            ],
        ),
        (", , Basic REALM=a, realm=b,", [Challenge("basic", {"realm": "a"})]),
        ('Basic realm=""', [Challenge("basic", {"realm": ""})]),
    ],
)
def test_well_formed(value: str, expected: list[Challenge]) -> None:
    assert parse_challenges([value]) == expected


def test_several_fields_are_one_list() -> None:
    assert parse_challenges(["Negotiate", "Basic realm=a"]) == [
        Challenge("negotiate", {}),
        Challenge("basic", {"realm": "a"}),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        '"',
        "=",
        "Digest =",
        'Digest nonce="',
        'Digest nonce="\\',
        "Digest nonce=",
        "Digest nonce==",
        'Digest nonce="a"b',
        "realm=x",
        "\x00\x01",
        "Ünïcode",
    ],
)
def test_malformed(value: str) -> None:
    for challenge in parse_challenges([value]):
        assert "nonce" not in challenge.parameters


@pytest.mark.parametrize(
    "piece", [" ", ",", "a", "a ", "a=", 'a="', "\\", 'a="\\"', "a=b,", "a =", '"']
)
def test_length_does_no_harm(piece: str) -> None:
    parse_challenges(["Digest " + piece * (16_000 // len(piece))])
