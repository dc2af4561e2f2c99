"""Converts the errors of wscore in the opening handshake into the exceptions of websockets.

The protocol without I/O judges the answer once more, so that both layers raise the same. Where it
finds nothing wrong, since wscore is stricter, wscore's own words are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import wscore

from ..client import ClientProtocol
from ..exceptions import InvalidHandshake, InvalidHeaderValue, InvalidMessage, SecurityError
from ..extensions.base import ClientExtensionFactory
from ..http11 import Response
from ..typing import Subprotocol
from ..uri import WebSocketURI

__all__ = ["handshake_exception"]


def handshake_exception(
    exc: wscore.WSHandshakeError,
    uri: WebSocketURI,
    extensions: Sequence[ClientExtensionFactory] | None,
    subprotocols: Sequence[Subprotocol | str] | None,
) -> Exception:
    """Return the exception of websockets for one of wscore, with its cause.

    Args:
        exc: the exception of wscore.
        uri: where to.
        extensions: the factories that were offered, or None.
        subprotocols: the names that were offered, or None.
    """
    protocol = ClientProtocol(uri, extensions=extensions, subprotocols=subprotocols)  # type: ignore[arg-type]
    error = _judged(exc, protocol)
    if error is not None:
        return error
    if isinstance(exc, wscore.WSInvalidHeaderError):
        error = InvalidHeaderValue(exc.name, exc.value)
    elif isinstance(exc, wscore.WSInvalidMessageError):
        error = InvalidMessage("did not receive a valid HTTP response")
    else:
        error = InvalidHandshake(str(exc))
    error.__cause__ = exc.__cause__ or exc
    return error


def _judged(exc: wscore.WSHandshakeError, protocol: ClientProtocol) -> Exception | None:
    """Return the exception of `ClientProtocol` for the response; None if it accepts that."""
    if exc.request is not None:
        protocol.key = exc.request.headers["Sec-WebSocket-Key"]
    if exc.response is None:
        is_whole = not isinstance(exc.__cause__, EOFError)
        protocol.receive_data((exc.raw_header or b"") + (b"\r\n\r\n" if is_whole else b""))
        protocol.receive_eof()
        error = protocol.handshake_exc
        # Headers that are cut off at their error can be checked for their syntax only.
        return error if isinstance(error, InvalidMessage | SecurityError) else None
    response = Response._from_core(exc.response, exc.raw_header)
    try:
        protocol.process_response(response)
    except InvalidHandshake as error:
        response._exception = error
        return error
    return None
