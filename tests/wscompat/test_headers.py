"""Header values are parsed and built as websockets does it, errors and their places included."""

from collections.abc import Callable
from typing import Any

import pytest
import websockets.headers

from wscompat import headers
from wscompat.exceptions import InvalidHeaderValue

LISTS = ["", ",", "a", "a, b", "a,, b ,", ", a", " a", "a b", "a;b", "a,\x01", "é", "a/b", "a/b/c"]
EXTENSIONS = [
    *LISTS,
    "a; b",
    "a;b=c;d",
    "a ; b = c ",
    'a; b="c"',
    'a; b="c\\d"',
    'a; b="c d"',
    'a; b=""',
    'a; b="c',
    "a;",
    "a; b=",
    "a; b=c d",
    "a; b; b=1, e, f; g=h",
]
CREDENTIALS = [
    "",
    "Basic",
    "Basic ",
    "Basic dTpw",
    "bASIC dTpw",
    "Basic  dTpw",
    "Basic dTpw ",
    "Basic dTpw x",
    "Basic !",
    "Basic dQ==",
    "Basic dTpwOnE=",
    "Basic //86",
    "Bearer x",
]


def outcome(module: Any, name: str, *arguments: Any, **options: Any) -> tuple[str, ...]:
    """Return the result or exception of a function of a module."""
    try:
        return ("gave", repr(getattr(module, name)(*arguments, **options)))
    except Exception as exc:
        return ("raised", repr(exc), str(exc))


def check_same(name: str, *arguments: Any, **options: Any) -> None:
    assert outcome(headers, name, *arguments, **options) == outcome(
        websockets.headers, name, *arguments, **options
    )


@pytest.mark.parametrize("name", ["parse_connection", "parse_upgrade", "parse_subprotocol"])
@pytest.mark.parametrize("value", LISTS)
def test_lists(name: str, value: str) -> None:
    check_same(name, value)


@pytest.mark.parametrize("value", EXTENSIONS)
def test_extensions(value: str) -> None:
    check_same("parse_extension", value)


@pytest.mark.parametrize("value", CREDENTIALS)
def test_credentials(value: str) -> None:
    check_same("parse_authorization_basic", value)


def test_credentials_that_are_not_base64() -> None:
    with pytest.raises(InvalidHeaderValue, match="expected base64-encoded credentials"):
        headers.parse_authorization_basic("Basic dTpwO")


@pytest.mark.parametrize(
    ("host", "port", "secure"),
    [
        ("h", 80, False),
        ("h", 443, True),
        ("h", 443, False),
        ("::1", 8080, False),
        ("::1", 443, True),
    ],
)
def test_host(host: str, port: int, secure: bool) -> None:
    check_same("build_host", host, port, secure)
    check_same("build_host", host, port, secure, always_include_port=True)


def test_building() -> None:
    check_same("build_extension", [("a", [("b", None), ("c", "d")]), ("e", [])])
    check_same("build_subprotocol", ["a", "b"])
    for realm in ("", "plain", 'quo"te', "back\\slash", "é", "\t", "日", "a\r\nb", "\x7f"):
        check_same("build_www_authenticate_basic", realm)
    for credentials in (("ü", "p:q"), ("", ""), ("\udcff", "x")):
        check_same("build_authorization_basic", *credentials)
        back = headers.parse_authorization_basic(headers.build_authorization_basic(*credentials))
        assert back == credentials
    with pytest.raises(ValueError, match="colon"):
        headers.build_authorization_basic("a:b", "c")


def test_all_names_are_there() -> None:
    assert set(headers.__all__) == set(websockets.headers.__all__)


@pytest.mark.parametrize("check", [headers.validate_subprotocols])
def test_subprotocols(check: Callable[[Any], None]) -> None:
    check([])
    check(["chat", "v2.example~x"])
    with pytest.raises(TypeError, match="must be a list, not a str"):
        check("chat")
    for unordered in (None, {"chat"}, iter(["chat"])):
        with pytest.raises(TypeError, match="subprotocols must be a list"):
            check(unordered)
    for name in ("", "a b", "a,b", "é"):
        with pytest.raises(ValueError, match="invalid subprotocol: "):
            check(["chat", name])
