"""The exception that reports how a connection ended."""

from __future__ import annotations

import wscore

from ..exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from ..frames import Close, CloseCode

__all__ = ["as_close", "closed_exception", "ended_well"]

#: Close codes of a connection that ended as it should; a CLOSE without any counts as one.
_CLOSED_OK = {int(CloseCode.NORMAL_CLOSURE), int(CloseCode.GOING_AWAY), 0}


def closed_exception(closing: wscore.WSCloseHandshake | None) -> ConnectionClosed:
    """Return the exception for calls on a connection that has ended.

    Args:
        closing: the closing handshake, as far as it has come.
    """
    if closing is None:
        return ConnectionClosedError(None, None, None)
    rcvd, sent = as_close(closing.recv), as_close(closing.sent)
    if rcvd is None or sent is None:
        return ConnectionClosedError(rcvd, sent, None)
    kind = ConnectionClosedOK if ended_well(closing) else ConnectionClosedError
    return kind(rcvd, sent, closing.recv_then_sent)


def ended_well(closing: wscore.WSCloseHandshake | None) -> bool:
    """Return whether that exception is a `ConnectionClosedOK`.

    Args:
        closing: the closing handshake, as far as it has come.
    """
    if closing is None or closing.recv is None or closing.sent is None:
        return False
    return int(closing.recv.code) in _CLOSED_OK and int(closing.sent.code) in _CLOSED_OK


def as_close(info: wscore.WSCloseInfo | None) -> Close | None:
    """Return a CLOSE that went over the wire, or None if there was none.

    Args:
        info: the CLOSE in the form of wscore.
    """
    if info is None:
        return None
    return Close(int(info.code) or CloseCode.NO_STATUS_RCVD, info.reason or "")
