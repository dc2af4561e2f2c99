"""Turns what wscore says about a failed opening handshake into the exceptions of websockets."""

from __future__ import annotations

import wscore

from ..exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidStatus,
    InvalidUpgrade,
    NegotiationError,
)
from ..http11 import Response

__all__ = ["from_core"]


def from_core(exc: wscore.WSHandshakeError, *, subprotocols_offered: bool) -> InvalidHandshake:
    """The exception to raise for one of wscore.

    Args:
        exc: what wscore raised.
        subprotocols_offered: whether the request offered any.
    """
    if isinstance(exc, wscore.WSInvalidStatusError) and exc.response is not None:
        return InvalidStatus(Response._from_core(exc.response))
    if isinstance(exc, wscore.WSInvalidUpgradeError):
        return InvalidUpgrade(exc.name, exc.value)
    if isinstance(exc, wscore.WSInvalidHeaderError):
        if exc.name == "Sec-WebSocket-Protocol":
            return _wrong_subprotocol(exc, subprotocols_offered)
        if exc.name == "Sec-WebSocket-Extensions":
            return NegotiationError("no extensions supported")
        kind = InvalidHeader if exc.value is None else InvalidHeaderValue
        return kind(exc.name, exc.value)
    if isinstance(exc, wscore.WSInvalidMessageError):
        return InvalidMessage("did not receive a valid HTTP response")
    return InvalidHandshake(str(exc))


def _wrong_subprotocol(exc: wscore.WSInvalidHeaderError, offered: bool) -> InvalidHandshake:
    if not offered:
        return NegotiationError("no subprotocols supported")
    values = [] if exc.response is None else exc.response.headers.getall(exc.name)
    if len(values) > 1:
        return InvalidHeader(exc.name, f"multiple values: {', '.join(values)}")
    return NegotiationError(f"unsupported subprotocol: {exc.value}")
