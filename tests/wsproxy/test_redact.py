"""A proxy's words: shortened, made printable, and without the credentials."""

import pytest

from wsproxy import parse_proxy_url
from wsproxy.redact import MAX_WORDS, clean

PROXY = parse_proxy_url("http://alice:hunter2@proxy")


def test_plain_words_stay() -> None:
    assert clean(" Bad Gateway ", PROXY) == "Bad Gateway"
    assert clean("Zugriff verweigert – Café", PROXY) == "Zugriff verweigert – Café"


def test_nothing_that_a_terminal_obeys() -> None:
    assert clean("a\x1b[31mb\x00\r\n\u202ec", PROXY) == "a?[31mb????c"


def test_long_words_are_cut() -> None:
    assert clean("x" * MAX_WORDS, PROXY) == "x" * MAX_WORDS
    cut = clean("x" * (MAX_WORDS + 1), PROXY)
    assert len(cut) == MAX_WORDS
    assert cut.endswith("x…")
    assert len(clean("x" * 100, PROXY, 10)) == 10


def test_credentials_that_come_back_are_blotted_out() -> None:
    said = "no alice with hunter2 (YWxpY2U6aHVudGVyMg==)"
    assert clean(said, PROXY) == "no *** with *** (***)"


def test_credentials_that_basic_cannot_express_are_blotted_out_too() -> None:
    proxy = parse_proxy_url("http://ali%3Ace:hunter2@proxy")
    assert clean("no ali:ce, hunter2", proxy) == "no ***, ***"


def test_a_password_that_contains_the_user_name_goes_whole() -> None:
    assert clean("alice2000", parse_proxy_url("http://alice:alice2000@proxy")) == "***"


@pytest.mark.parametrize(
    "form", ["alice:p@ss wörd", "alice:p%40ss%20w%C3%B6rd", "p%40ss%20w%C3%B6rd"]
)
def test_credentials_in_a_url_are_blotted_out(form: str) -> None:
    proxy = parse_proxy_url("http://alice:p%40ss%20w%C3%B6rd@proxy")
    assert clean(f"see http://{form}@host/", proxy) == "see http://***@host/"


@pytest.mark.parametrize("user", ["x", "a", "e", "th", "Proxy", "proxy", "AUTHENTICATION", "equi"])
@pytest.mark.parametrize("password", ["r", "u", "o", "Re", "required", "Aut"])
def test_a_text_that_everybody_knows_stays(user: str, password: str) -> None:
    """A gap in it would give away what belongs there."""
    proxy = parse_proxy_url(f"http://{user}:{password}@proxy")
    for text in (
        "Proxy Authentication Required",
        'Basic realm="proxy"',
        "text/html; charset=utf-8",
    ):
        assert clean(text, proxy) == text


def test_short_credentials_go_only_as_a_pair() -> None:
    proxy = parse_proxy_url("http://a:b@proxy")
    assert clean("a or b, but not a:b (YTpi)", proxy) == "a or b, but not *** (***)"


def test_parts_of_words_stay() -> None:
    assert clean("malice, hunter23, alice's", PROXY) == "malice, hunter23, ***'s"


def test_a_text_that_is_not_the_proxys() -> None:
    assert clean("no alice") == "no alice"
