"""The syntax of a list of extensions (RFC 6455, 9.1)."""

import pytest

from wscore.handshake.extensions import parse_extensions


def test_lists() -> None:
    assert parse_extensions([]) == []
    assert parse_extensions([", ,a,,", "", "b,"]) == [("a", []), ("b", [])]
    assert parse_extensions(["a"]) == [("a", [])]
    assert parse_extensions(["a, b;c ; d = e", "f;g=1;g=2"]) == [
        ("a", []),
        ("b", [("c", None), ("d", "e")]),
        ("f", [("g", "1"), ("g", "2")]),
    ]


def test_quoted_values() -> None:
    assert parse_extensions(['a; b="10"; c="x\\y"']) == [("a", [("b", "10"), ("c", "xy")])]


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        " ,\t,",
        "\xa0a",
        "a; b\xa0",
        "a;",
        "a; ;b",
        "a b",
        "a; b=",
        "a; =b",
        'a; b=""',
        'a; b="1',
        'a; b="',
        'a; b="1,2"',
        'a; b="1;2"',
        'a; b="1 2"',
        "a; b c",
        "a; b=c=d",
        "(a)",
        "ä",
    ],
)
def test_malformed(value: str) -> None:
    with pytest.raises(ValueError):
        parse_extensions([value])
