"""Checks of header values."""

import pytest

from wscompat.headers import validate_subprotocols


def test_subprotocols() -> None:
    validate_subprotocols([])
    validate_subprotocols(["chat", "v2.example~x"])
    with pytest.raises(TypeError, match="must be a list, not a str"):
        validate_subprotocols("chat")
    for name in ("", "a b", "a,b", "é"):
        with pytest.raises(ValueError, match="invalid subprotocol: "):
            validate_subprotocols(["chat", name])
