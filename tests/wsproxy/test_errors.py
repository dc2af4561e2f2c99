"""The tree of errors: what they are, what they carry, and that they can be handed around."""

import pickle

import pytest

import wsproxy
from wsproxy import (
    ProxyAuthenticationError,
    ProxyError,
    ProxyRefusedError,
    ProxyTimeoutError,
    ProxyUnsupportedError,
    ProxyURLError,
    errors,
)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_public_and_in_the_tree(name: str) -> None:
    kind = getattr(wsproxy, name)
    assert issubclass(kind, ProxyError)
    assert issubclass(kind, OSError)
    assert kind.__doc__


def test_kinds_that_are_also_something_else() -> None:
    assert issubclass(ProxyTimeoutError, TimeoutError)
    assert issubclass(ProxyURLError, ValueError)
    assert issubclass(ProxyUnsupportedError, ValueError)
    assert issubclass(ProxyAuthenticationError, ProxyRefusedError)


@pytest.mark.parametrize("name", errors.__all__)
def test_what_an_error_carries_survives_pickling(name: str) -> None:
    error = getattr(wsproxy, name)(
        "no", proxy_host="h", proxy_port=1, code=502, reason="Bad", headers=(("A", "b"),)
    )
    error.errno = 111
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == again.message == "no"
    assert (again.proxy_host, again.proxy_port) == ("h", 1)
    assert (again.code, again.reason, again.headers) == (502, "Bad", (("A", "b"),))


def test_the_text_is_the_message_even_with_an_errno() -> None:
    error = ProxyError("the message")
    error.errno = 111
    error.strerror = "Connection refused"
    assert str(error) == "the message"
