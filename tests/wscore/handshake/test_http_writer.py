"""A serialised name or value cannot be taken for anything else."""

import pytest
from multidict import CIMultiDict

from wscore.handshake.http_writer import serialise_head


def test_head() -> None:
    headers = CIMultiDict([("Host", "h"), ("X", "caf\xe9\t1"), ("x", "2"), ("Empty", "")])
    assert serialise_head(b"GET / HTTP/1.1", headers) == (
        b"GET / HTTP/1.1\r\nHost: h\r\nX: caf\xe9\t1\r\nx: 2\r\nEmpty: \r\n\r\n"
    )


def test_every_character_of_a_name() -> None:
    allowed = set("!#$%&'*+-.^_`|~0123456789")
    for code in range(0x180):
        name = f"A{chr(code)}"
        if code < 128 and (chr(code).isalpha() or chr(code) in allowed):
            assert serialise_head(b"", {name: ""}) == f"\r\n{name}: \r\n\r\n".encode()
        else:
            with pytest.raises(ValueError, match="invalid header field name"):
                serialise_head(b"", {name: ""})


def test_every_character_of_a_value() -> None:
    for code in range(0x180):
        value = f"a{chr(code)}"
        if code > 0xFF:
            with pytest.raises(UnicodeEncodeError):
                serialise_head(b"", {"A": value})
        elif (code < 0x20 and value != "a\t") or code == 0x7F:
            with pytest.raises(ValueError, match="control characters"):
                serialise_head(b"", {"A": value})
        else:
            wire = b"\r\nA: " + value.encode("latin-1") + b"\r\n\r\n"
            assert serialise_head(b"", {"A": value}) == wire


@pytest.mark.parametrize(
    ("name", "value"),
    [("A", "b\r\nC: d"), ("A", "b\nc"), ("A", "b\x00"), ("A B", "c"), ("A:", "b"), ("", "c")],
)
def test_what_cannot_be_written(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header field"):
        serialise_head(b"", {name: value})


def test_what_is_no_text() -> None:
    with pytest.raises(TypeError, match="two strings"):
        serialise_head(b"", {"A": 1})  # type: ignore[dict-item]
