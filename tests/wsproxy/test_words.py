"""A proxy's words: shortened, made printable, and without the credentials."""

from wsproxy import parse_proxy_url
from wsproxy.words import MAX_WORDS, clean

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
    assert clean("no a:b, c", parse_proxy_url("http://a%3Ab:c@proxy")) == "no ***, ***"


def test_a_password_that_contains_the_user_name_goes_whole() -> None:
    assert clean("alice2000", parse_proxy_url("http://alice:alice2000@proxy")) == "***"
