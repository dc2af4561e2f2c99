"""How a connection ended, as the exception that says so."""

from __future__ import annotations

import wscore

from ..exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from ..frames import Close, CloseCode

__all__ = ["closed_exception"]

_CLOSED_OK = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD)


def closed_exception(closing: wscore.WSCloseHandshake | None) -> ConnectionClosed:
    """The exception for those who use a connection after its end.

    Args:
        closing: what is known of the closing handshake.
    """
    if closing is None:
        return ConnectionClosedError(None, None)
    rcvd, sent = _as_close(closing.recv), _as_close(closing.sent)
    if rcvd is None or sent is None:
        return ConnectionClosedError(rcvd, sent)
    is_ok = rcvd.code in _CLOSED_OK and sent.code in _CLOSED_OK
    kind = ConnectionClosedOK if is_ok else ConnectionClosedError
    return kind(rcvd, sent, closing.recv_then_sent)


def _as_close(info: wscore.WSCloseInfo | None) -> Close | None:
    if info is None:
        return None
    return Close(int(info.code) or CloseCode.NO_STATUS_RCVD, info.reason or "")
