"""Delays and decisions of reconnecting clients, as in websockets."""

import itertools
from typing import Any

import pytest
import websockets.client
import websockets.exceptions
import websockets.http11

import wscompat.client
import wscompat.exceptions
import wscompat.http11


def test_backoff() -> None:
    first, *others = itertools.islice(wscompat.client.backoff(), 20)
    assert 0 <= first < 5
    assert others == list(itertools.islice(websockets.client.backoff(), 20))[1:]
    assert list(itertools.islice(wscompat.client.backoff(0, 2, 10, 3), 6)) == [0, 2, 6, 10, 10, 10]


def exceptions(package: Any) -> list[Exception]:
    """Failures of each kind."""
    raised = package.exceptions
    hung_up = raised.InvalidMessage("hung up")
    hung_up.__cause__ = EOFError()
    statuses = (302, 400, 404, 500, 501, 502, 503, 504, 505)
    responses = [package.http11.Response(status, "", {}) for status in statuses]
    return [
        OSError(),
        TimeoutError(),
        hung_up,
        raised.InvalidMessage("garbage"),
        raised.InvalidURI("uri", "why"),
        raised.SecurityError("why"),
        ValueError(),
        *(raised.InvalidStatus(response) for response in responses),
    ]


@pytest.mark.parametrize("index", range(16))
def test_process_exception(index: int) -> None:
    ours, model = exceptions(wscompat)[index], exceptions(websockets)[index]
    fatal = wscompat.client.process_exception(ours)
    assert fatal in (None, ours)
    assert (fatal is None) == (websockets.client.process_exception(model) is None)
