"""`broadcast`: one message to many connections, encoded once, waiting for none of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import wscore
from wscore.messages.broadcast import broadcast_message

from ..exceptions import ConcurrencyError
from ..typing import BytesLike, DataLike

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["broadcast"]

TEXT = wscore.WSMsgType.TEXT
BINARY = wscore.WSMsgType.BINARY


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
) -> None:
    """Send a message to many connections.

    It waits for none: messages to a slow peer pile up in its write buffer. Connections are skipped
    that are not open, or on which `Connection.send` is in the middle of a fragmented message.

    Args:
        connections: where to.
        message: a `str` for a text message, bytes-like for a binary one.
        text: whether to send it as text, whatever its type.
        raise_exceptions: whether connections in the middle of a message are reported by an
            exception; otherwise they are logged.

    Raises:
        TypeError: if the message is of another type.
        ExceptionGroup: of a `ConcurrencyError` for each connection in the middle of a message.
    """
    if isinstance(message, str):
        kind = BINARY if text is False else TEXT
    elif isinstance(message, BytesLike):
        kind = TEXT if text else BINARY
    else:
        raise TypeError("data must be str or bytes")
    skipped, others, logged = broadcast_message(connections, kind, message)
    for transport in logged:
        transport.log_message(kind, message)
    for connection in others:  # with extensions of their own, mostly
        if not connection._transport.is_open:
            continue
        if connection._fragments_sent is None:
            connection._transport.send_message(kind, message)
        else:
            skipped.append(connection)
    if raise_exceptions and skipped:
        errors = [ConcurrencyError("sending a fragmented message") for _ in skipped]
        raise ExceptionGroup("skipped broadcast", errors)
    for connection in skipped:
        connection.logger.warning("skipped broadcast: sending a fragmented message")
