"""The exception classes: their hierarchy, and their attributes."""

import copy
import pickle

import pytest

from wscore import (
    WSCloseCode,
    WSError,
    WSHandshakeError,
    WSInvalidHeaderError,
    WSInvalidMessageError,
    WSInvalidStatusError,
    WSInvalidUpgradeError,
    WSInvalidURL,
    WSProtocolError,
    WSUpgradeResponse,
    errors,
)

TREE = {
    WSError: Exception,
    WSInvalidURL: WSError,
    WSProtocolError: WSError,
    WSHandshakeError: WSError,
    WSInvalidMessageError: WSHandshakeError,
    WSInvalidStatusError: WSHandshakeError,
    WSInvalidHeaderError: WSHandshakeError,
    WSInvalidUpgradeError: WSInvalidHeaderError,
}


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_tree(error: type[WSError]) -> None:
    assert error.__bases__ == (TREE[error],)


def test_tree_is_complete() -> None:
    assert {getattr(errors, name) for name in errors.__all__} == set(TREE)


def test_handshake_error() -> None:
    response = WSUpgradeResponse.create_error_response(503)
    error = WSInvalidStatusError("no", b"head", b"body", response)
    assert str(error) == "no"
    assert (error.raw_header, error.raw_body, error.response) == (b"head", b"body", response)
    bare = WSHandshakeError("no")
    assert (bare.raw_header, bare.raw_body, bare.response) == (None, None, None)


def test_header_error() -> None:
    error = WSInvalidUpgradeError("no", "Upgrade", "h2c", b"head")
    assert str(error) == "no"
    assert (error.name, error.value, error.raw_header) == ("Upgrade", "h2c", b"head")
    assert WSInvalidHeaderError("no", "Upgrade").value is None


def test_protocol_error() -> None:
    error = WSProtocolError(WSCloseCode.POLICY_VIOLATION, "not here")
    assert (error.code, error.message) == (1008, "not here")
    assert str(error) == "not here"
    assert "1008" in repr(error)
    assert str(WSProtocolError(1008, "€".encode())) == "€"
    assert WSProtocolError(4000).message == ""


def test_invalid_url() -> None:
    error = WSInvalidURL("http://user:secret@h/", "it is wrong")
    assert (error.url, error.reason) == ("http://user:secret@h/", "it is wrong")
    assert str(error) == "'http://***@h/' is not a WebSocket URL: it is wrong"


ERRORS: list[WSError] = [
    WSError("x"),
    WSInvalidURL("http://h/", "it is wrong"),
    WSProtocolError(1008, "no"),
    WSHandshakeError("no", b"head", b"body"),
    WSInvalidMessageError("no", b"head", b"body"),
    WSInvalidStatusError("no", b"head", b"body"),
    WSInvalidHeaderError("no", "Upgrade", "h2c", b"head"),
    WSInvalidUpgradeError("no", "Upgrade", "h2c", b"head"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("way", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_can_be_copied(error: WSError, way: object) -> None:
    """Loggers, process pools and test runners do that to exceptions."""
    again = way(error)  # type: ignore[operator]
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
