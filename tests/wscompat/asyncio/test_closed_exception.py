"""The exception that reports how a connection ended."""

from types import SimpleNamespace
from typing import Any

import pytest

import wscore
from wscompat.asyncio.closed_exception import closed_exception
from wscompat.exceptions import ConnectionClosedError, ConnectionClosedOK

NO_INFO = wscore.WSCloseCode.NO_INFO


def info(code: int | None) -> Any:
    return None if code is None else SimpleNamespace(code=code, reason=None)


@pytest.mark.parametrize(
    ("recv", "sent", "kind", "text"),
    [
        (None, None, ConnectionClosedError, "no close frame received or sent"),
        (1000, None, ConnectionClosedError, "received 1000 (OK); no close frame sent"),
        (None, 1000, ConnectionClosedError, "sent 1000 (OK); no close frame received"),
        (1000, 1000, ConnectionClosedOK, "received 1000 (OK); then sent 1000 (OK)"),
        (1001, 1000, ConnectionClosedOK, "received 1001 (going away); then sent 1000 (OK)"),
        (1000, 4000, ConnectionClosedError, "received 1000 (OK); then sent 4000 (private use)"),
        (1011, 1000, ConnectionClosedError, "received 1011 (internal error); then sent 1000 (OK)"),
    ],
)
def test_exception(recv: int | None, sent: int | None, kind: type, text: str) -> None:
    closing: Any = SimpleNamespace(recv=info(recv), sent=info(sent), recv_then_sent=True)
    exc = closed_exception(closing)
    assert type(exc) is kind
    assert str(exc) == text


def test_no_code_counts_as_good() -> None:
    closing: Any = SimpleNamespace(recv=info(NO_INFO), sent=info(NO_INFO), recv_then_sent=False)
    exc = closed_exception(closing)
    assert isinstance(exc, ConnectionClosedOK)
    assert exc.rcvd is not None
    assert (exc.rcvd.code, exc.rcvd.reason) == (1005, "")


def test_nothing_is_known() -> None:
    assert str(closed_exception(None)) == "no close frame received or sent"
