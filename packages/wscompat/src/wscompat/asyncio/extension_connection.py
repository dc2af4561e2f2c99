"""Connections with extensions that wscore does not know: data frames pass through them in Python.

Only connections that offered or accepted such an extension are of this kind; the others must not
pay for it. Control frames, which wscore answers, do not pass through extensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import wscore

from ..datastructures import Headers
from ..exceptions import InvalidHandshake, PayloadTooBig, ProtocolError
from ..extensions.base import ClientExtensionFactory, Extension
from ..extensions.negotiation import take_answer
from ..frames import CloseCode, Frame, Opcode
from ..limits import MaxSize, as_pair, payload_limit
from ..typing import DataLike
from .connection import Connection

__all__ = ["EncodingTransport", "ExtensionConnection", "with_mixin"]

C = TypeVar("C", bound=Connection)

_KNOWN = "_classes_with_extensions"  # the attribute of a class that caches its derived classes


class EncodingTransport:
    """A transport whose messages pass through extensions; all else is the transport's own.

    Args:
        transport: the transport that sends.
        extensions: the extensions that encode, in this order.
    """

    def __init__(self, transport: wscore.WSTransport, extensions: Sequence[Extension]) -> None:
        self._transport = transport
        self._extensions = extensions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def send_message(self, msg_type: wscore.WSMsgType, message: DataLike, fin: bool = True) -> None:
        """Send a message, or a fragment of one.

        Args:
            msg_type: TEXT, BINARY or CONTINUATION.
            message: the payload.
            fin: whether the message ends with it.
        """
        data = message.encode() if isinstance(message, str) else message
        self.send_frame(Frame(Opcode(msg_type), data, fin))

    def send_frame(self, frame: Frame) -> None:
        """Send a data frame.

        Args:
            frame: as it is before extensions encode it.
        """
        for extension in self._extensions:
            frame = extension.encode(frame)
        self._transport.send(
            wscore.WSMsgType(frame.opcode),
            frame.data,
            frame.fin,
            frame.rsv1,
            frame.rsv2,
            frame.rsv3,
        )


class ExtensionConnection(Connection):
    """The mixin for connections with extensions; see `with_mixin`.

    Attributes:
        extensions: the extensions in use.
        negotiation_exc: why a client could not agree with the server, or None.
    """

    is_extended = True

    extensions: Sequence[Extension] = ()
    negotiation_exc: InvalidHandshake | None = None
    _factories: Sequence[ClientExtensionFactory] | None = None

    def extend(
        self,
        max_size: MaxSize,
        *,
        factories: Sequence[ClientExtensionFactory] | None = None,
        extensions: Sequence[Extension] = (),
    ) -> None:
        """Configure the extensions before the connection is open.

        Args:
            max_size: as for `connect`; also the limit of decoded frames.
            factories: on a client, those that take the server's response.
            extensions: on a server, those that were accepted.
        """
        self._max_size = max_size
        self._factories = factories
        self.extensions = extensions
        self._size: int | None = None  # of the fragmented message that is being received
        self._is_text = False

    def _sending_transport(self, transport: wscore.WSTransport) -> Any:
        self._agree(transport)
        return EncodingTransport(transport, self.extensions)

    def _agree(self, transport: wscore.WSTransport) -> None:
        """Create the extensions that the server has accepted, on a client."""
        if self._factories is not None:
            try:
                headers = Headers._from_core(transport.response.headers)
                self.extensions = take_answer(self._factories, headers)
            except InvalidHandshake as exc:
                self.negotiation_exc = exc
                transport.disconnect(graceful=False)

    def on_ws_frame(self, transport: wscore.WSTransport, frame: wscore.WSFrame) -> None:
        """Pass a received frame through the extensions."""
        if frame.msg_type > wscore.WSMsgType.BINARY:
            super().on_ws_frame(transport, frame)
            return
        try:
            decoded = self._decode(frame)
        except Exception as exc:
            self._close_cause = exc
            if isinstance(exc, ProtocolError):
                raise wscore.WSProtocolError(CloseCode.PROTOCOL_ERROR, str(exc)) from exc
            if isinstance(exc, PayloadTooBig):
                exc.set_current_size(self._size)
                raise wscore.WSProtocolError(CloseCode.MESSAGE_TOO_BIG, str(exc)) from exc
            raise
        self._frame_received(decoded)
        if decoded.opcode is not Opcode.CONT:
            self._is_text = decoded.opcode is Opcode.TEXT
        self._size = None if decoded.fin else (self._size or 0) + len(decoded.data)
        self.feed(self._is_text, decoded.fin, bytes(decoded.data))

    def _frame_received(self, frame: Frame) -> None:
        """Look at a data frame that was decoded."""

    def _decode(self, received: wscore.WSFrame) -> Frame:
        payload = received.get_payload_as_bytes()
        frame = Frame(
            Opcode(received.msg_type),
            payload,
            received.fin,
            received.rsv1,
            received.rsv2,
            received.rsv3,
        )
        limit = payload_limit(*as_pair(self._max_size), self._size)
        if limit is not None and len(payload) > limit:
            raise PayloadTooBig(len(payload), limit)
        for extension in reversed(self.extensions):
            frame = extension.decode(frame, max_size=limit)
        frame.check()
        return frame


def with_mixin(connection_class: type[C], mixin: type[Connection] = ExtensionConnection) -> type[C]:
    """Return the class that combines a class of connections with a mixin; always the same one.

    Args:
        connection_class: `ClientConnection`, `ServerConnection`, or a class derived from one.
        mixin: the class to put before it.
    """
    known: dict[type[Connection], type[C]] | None = vars(connection_class).get(_KNOWN)
    if known is None:
        known = {}
        setattr(connection_class, _KNOWN, known)
    if mixin not in known:
        names = {name: getattr(connection_class, name) for name in ("__module__", "__qualname__")}
        known[mixin] = type(connection_class.__name__, (mixin, connection_class), names)
    return known[mixin]
