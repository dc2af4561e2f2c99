"""Tests of `wscompat.legacy.exceptions`: the same attributes and texts as websockets'."""

from tests.wscompat.legacy.models import MODEL, OURS


def test_texts() -> None:
    for library in (MODEL, OURS):
        exceptions = library.exceptions
        exc = exceptions.InvalidStatusCode(404, library.headers())
        assert str(exc) == "server rejected WebSocket connection: HTTP 404"
        assert (exc.status_code, list(exc.headers)) == (404, [])
        exc = exceptions.AbortHandshake(503, {"A": "b"}, b"body")
        assert str(exc) == "HTTP 503, 1 headers, 4 bytes"
        assert (exc.status, exc.headers["a"], exc.body) == (503, "b", b"body")
        exc = exceptions.RedirectHandshake("/there")
        assert (str(exc), exc.uri) == ("redirect to /there", "/there")


def test_tree() -> None:
    for name in ("AbortHandshake", "InvalidStatusCode", "RedirectHandshake"):
        assert issubclass(getattr(OURS.exceptions, name), OURS.errors.InvalidHandshake)
