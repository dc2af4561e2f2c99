"""``connection.protocol``: the attributes of `Protocol` that programs read.

It is a view of a connection and keeps nothing. Nothing is sent or received by it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..exceptions import ConnectionClosed
from ..extensions.base import Extension
from ..extensions.negotiation import parse_field
from ..extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from ..frames import Close
from ..protocol import Side, State
from ..typing import ExtensionParameter, LoggerLike, Origin, Subprotocol
from .closed_exception import as_close

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["ProtocolView"]


class ProtocolView:
    """The negotiated parameters and the state of a connection.

    Args:
        connection: the connection.

    Attributes:
        handshake_exc: None, since the opening handshake did not fail.
    """

    __slots__ = ("_connection",)

    handshake_exc: Exception | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- the handshake

    @property
    def side(self) -> Side:
        """Which end this is."""
        return Side.CLIENT if self._connection._transport.is_client_side else Side.SERVER

    @property
    def id(self) -> uuid.UUID:
        """As the connection's."""
        return self._connection.id

    @property
    def logger(self) -> LoggerLike:
        """As the connection's."""
        return self._connection.logger

    @property
    def debug(self) -> bool:
        """Whether the logger takes records of the level DEBUG."""
        return self._connection._given_logger.isEnabledFor(logging.DEBUG)

    @property
    def origin(self) -> Origin | None:
        """The ``Origin`` of the request, or None."""
        origin = self._connection.request.headers.get("Origin")
        return None if origin is None else Origin(origin)

    @property
    def subprotocol(self) -> Subprotocol | None:
        """As the connection's."""
        return self._connection.subprotocol

    @property
    def extensions(self) -> Sequence[Extension]:
        """The extensions in use; one that wscore does is described, and has seen no frame."""
        known: Sequence[Extension] | None = getattr(self._connection, "extensions", None)
        if known is not None:
            return known
        agreed = parse_field(self._connection.response.headers)
        return [self._deflate(parameters) for _, parameters in agreed]

    def _deflate(self, parameters: Sequence[ExtensionParameter]) -> Extension:
        """Return the parameters that the server's response gives a client; reversed on a server."""
        extension = ClientPerMessageDeflateFactory().process_response_params(parameters, [])
        if self.side is Side.CLIENT:
            return extension
        return PerMessageDeflate(
            extension.local_no_context_takeover,
            extension.remote_no_context_takeover,
            extension.local_max_window_bits,
            extension.remote_max_window_bits,
        )

    # -- how far it has come, and how it closes

    @property
    def state(self) -> State:
        """As the connection's."""
        return self._connection.state

    @property
    def close_rcvd(self) -> Close | None:
        """The CLOSE that was received, or None."""
        closing = self._connection._transport.close_handshake
        return None if closing is None else as_close(closing.recv)

    @property
    def close_sent(self) -> Close | None:
        """The CLOSE that was sent, or None."""
        closing = self._connection._transport.close_handshake
        return None if closing is None else as_close(closing.sent)

    @property
    def close_rcvd_then_sent(self) -> bool | None:
        """If there are both, whether the peer's was first."""
        closing = self._connection._transport.close_handshake
        if closing is None or closing.recv is None or closing.sent is None:
            return None
        first: bool = closing.recv_then_sent
        return first

    @property
    def close_code(self) -> int | None:
        """As the connection's."""
        return self._connection.close_code

    @property
    def close_reason(self) -> str | None:
        """As the connection's."""
        return self._connection.close_reason

    @property
    def close_exc(self) -> ConnectionClosed:
        """The exception for calls on the connection after its end.

        Raises:
            AssertionError: before the end.
        """
        if self.state is not State.CLOSED:
            raise AssertionError("connection isn't closed yet")
        return self._connection.close_exc

    @property
    def parser_exc(self) -> BaseException | None:
        """Why receiving ended before the closing handshake did, or None."""
        return self._connection.close_exc.__cause__ if self.state is State.CLOSED else None
