"""Every exception that wscore's handshake raises becomes one of websockets."""

from http import HTTPStatus

import pytest
from multidict import CIMultiDict

import wscore
from wscompat import exceptions
from wscompat.asyncio.handshake_errors import from_core

HEADERS = CIMultiDict([("Sec-WebSocket-Protocol", "a"), ("Sec-WebSocket-Protocol", "b")])
RESPONSE = wscore.WSUpgradeResponse(b"HTTP/1.1", HTTPStatus.NOT_FOUND, HEADERS, b"body")


@pytest.mark.parametrize(
    ("exc", "kind", "text"),
    [
        (
            wscore.WSInvalidStatusError("", response=RESPONSE),
            exceptions.InvalidStatus,
            "server rejected WebSocket connection: HTTP 404",
        ),
        (
            wscore.WSInvalidUpgradeError("", "Upgrade", "h2"),
            exceptions.InvalidUpgrade,
            "invalid Upgrade header: h2",
        ),
        (
            wscore.WSInvalidHeaderError("", "Sec-WebSocket-Accept"),
            exceptions.InvalidHeader,
            "missing Sec-WebSocket-Accept header",
        ),
        (
            wscore.WSInvalidHeaderError("", "Sec-WebSocket-Accept", "x"),
            exceptions.InvalidHeaderValue,
            "invalid Sec-WebSocket-Accept header: x",
        ),
        (
            wscore.WSInvalidHeaderError("", "Sec-WebSocket-Extensions", "x"),
            exceptions.NegotiationError,
            "no extensions supported",
        ),
        (
            wscore.WSInvalidMessageError("why"),
            exceptions.InvalidMessage,
            "did not receive a valid HTTP response",
        ),
        (wscore.WSHandshakeError("why"), exceptions.InvalidHandshake, "why"),
    ],
)
def test_from_core(
    exc: wscore.WSHandshakeError, kind: type[exceptions.InvalidHandshake], text: str
) -> None:
    result = from_core(exc, subprotocols_offered=True)
    assert type(result) is kind
    assert str(result) == text


@pytest.mark.parametrize(
    ("response", "offered", "kind", "text"),
    [
        (None, False, exceptions.NegotiationError, "no subprotocols supported"),
        (None, True, exceptions.NegotiationError, "unsupported subprotocol: a"),
        (
            RESPONSE,
            True,
            exceptions.InvalidHeader,
            "invalid Sec-WebSocket-Protocol header: multiple values: a, b",
        ),
    ],
)
def test_wrong_subprotocol(
    response: wscore.WSUpgradeResponse | None,
    offered: bool,
    kind: type[exceptions.InvalidHandshake],
    text: str,
) -> None:
    exc = wscore.WSInvalidHeaderError("", "Sec-WebSocket-Protocol", "a", response=response)
    result = from_core(exc, subprotocols_offered=offered)
    assert type(result) is kind
    assert str(result) == text
