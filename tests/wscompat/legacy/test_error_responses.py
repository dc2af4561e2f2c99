"""Tests of `wscompat.legacy.error_responses`: one status for each kind of error."""

import importlib

import pytest

from tests.wscompat.legacy.models import OURS

error_response = importlib.import_module("wscompat.legacy.error_responses").error_response
ERRORS = OURS.errors


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (OURS.exceptions.AbortHandshake(418, {}, b"tea"), 418),
        (ERRORS.InvalidOrigin("o"), 403),
        (ERRORS.InvalidUpgrade("Upgrade", None), 426),
        (ERRORS.InvalidHeader("X"), 400),
        (ERRORS.NegotiationError("no"), 400),
        (ERRORS.InvalidMessage("no"), 400),
        (ZeroDivisionError("secret"), 500),
    ],
)
def test_statuses(exc: Exception, status: int) -> None:
    answer, headers, body = error_response(exc)
    assert answer == status
    assert ("Upgrade" in headers) == (status == 426)
    assert b"secret" not in body
