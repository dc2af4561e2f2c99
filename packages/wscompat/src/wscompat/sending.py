"""What one end of a connection sends, and in which state it may.

Frames are built by wsframe. Nothing here knows what is received, or touches a socket.
"""

from __future__ import annotations

import enum
import functools
import logging
import uuid

import wsframe

from .exceptions import InvalidState, ProtocolError
from .extensions.base import Extension
from .frames import Close, CloseCode, Frame, Opcode, refuse_text
from .typing import BytesLike, LoggerLike

__all__ = ["SEND_EOF", "Sending", "Side", "State"]


class Side(enum.IntEnum):
    """Which end of the connection this is."""

    SERVER = 0
    CLIENT = 1


class State(enum.IntEnum):
    """How far the life of a connection has come (RFC 6455, 4 and 7)."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


SERVER, CLIENT = Side.SERVER, Side.CLIENT
CONNECTING, OPEN, CLOSING, CLOSED = State.CONNECTING, State.OPEN, State.CLOSING, State.CLOSED

SEND_EOF = b""
"""Among the data to send: close the sending half of the TCP connection."""


class Sending:
    """The sending half of `wscompat.protocol.Protocol`, which describes its arguments."""

    def __init__(self, side: Side, state: State, logger: LoggerLike | None) -> None:
        self.logger = logger or logging.getLogger(f"websockets.{side.name.lower()}")
        self.debug = self.logger.isEnabledFor(logging.DEBUG)
        self.side = side
        self.state = state
        self.extensions: list[Extension] = []
        self.expect_continuation_frame = False  # of the message that is being sent
        self.close_sent: Close | None = None
        self.eof_sent = False
        self.writes: list[bytes] = []

    @functools.cached_property
    def id(self) -> uuid.UUID:
        """A random identifier, for logs."""
        return uuid.uuid4()

    @property
    def state(self) -> State:
        """How far the connection's life has come."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if self.debug:
            self.logger.debug("= connection is %s", state.name)
        self._state = state

    # -- frames

    def send_continuation(self, data: BytesLike, fin: bool) -> None:
        """Send a further fragment of a message (RFC 6455, 5.6).

        Args:
            data: the fragment; of a text message in UTF-8.
            fin: whether it is the last one.

        Raises:
            InvalidState: if the connection is not open.
            ProtocolError: if there is no message to continue.
        """
        if not self.expect_continuation_frame:
            raise ProtocolError("unexpected continuation frame")
        self._send_data(Opcode.CONT, data, fin)

    def send_text(self, data: BytesLike, fin: bool = True) -> None:
        """Send a text message, or its first fragment (RFC 6455, 5.6).

        Args:
            data: the text in UTF-8.
            fin: whether it is all of the message.

        Raises:
            InvalidState: if the connection is not open.
            ProtocolError: if a message is not complete.
        """
        if self.expect_continuation_frame:
            raise ProtocolError("expected a continuation frame")
        self._send_data(Opcode.TEXT, data, fin)

    def send_binary(self, data: BytesLike, fin: bool = True) -> None:
        """Send a binary message, or its first fragment (RFC 6455, 5.6).

        Args:
            data: the payload.
            fin: whether it is all of the message.

        Raises:
            InvalidState: if the connection is not open.
            ProtocolError: if a message is not complete.
        """
        if self.expect_continuation_frame:
            raise ProtocolError("expected a continuation frame")
        self._send_data(Opcode.BINARY, data, fin)

    def send_close(self, code: CloseCode | int | None = None, reason: str = "") -> None:
        """Send a CLOSE (RFC 6455, 5.5.1).

        Args:
            code: the close code; None for a frame without one.
            reason: the close reason.

        Raises:
            InvalidState: if the connection is not open.
            ProtocolError: if the code may not be sent, the reason is too long, or there is a reason
                without a code.
        """
        if self.state is not OPEN:
            raise InvalidState(f"connection is {self.state.name.lower()}")
        if code is None:
            if reason:
                raise ProtocolError("cannot send a reason without a code")
            self._send_close(Close(CloseCode.NO_STATUS_RCVD, ""), b"")
        else:
            close = Close(code, reason)
            self._send_close(close, close.serialize())

    def send_ping(self, data: BytesLike) -> None:
        """Send a ping (RFC 6455, 5.5.2).

        Args:
            data: the payload, at most 125 bytes.

        Raises:
            InvalidState: if the connection is neither open nor closing.
            ProtocolError: if the payload is too long.
        """
        self._send_control(Opcode.PING, data)

    def send_pong(self, data: BytesLike) -> None:
        """Send a pong (RFC 6455, 5.5.3). Pings are answered without it.

        Args:
            data: the payload, at most 125 bytes.

        Raises:
            InvalidState: if the connection is neither open nor closing.
            ProtocolError: if the payload is too long.
        """
        self._send_control(Opcode.PONG, data)

    def send_frame(self, frame: Frame) -> None:
        """Send any frame, in any state.

        Args:
            frame: what to send.

        Raises:
            ProtocolError: if it is a control frame that is too long or fragmented.
        """
        data = frame.serialize(mask=self.side is CLIENT, extensions=self.extensions)
        if self.debug:
            self.logger.debug("> %s", frame)
        self.writes.append(data)

    def send_eof(self) -> None:
        """Close the sending half of the TCP connection."""
        if self.debug:
            self.logger.debug("> EOF")
        self.eof_sent = True
        self.writes.append(SEND_EOF)

    def data_to_send(self) -> list[bytes]:
        """What is to be sent since the last call; `SEND_EOF` may be its last item."""
        writes, self.writes = self.writes, []
        return writes

    # -- sending

    def _send_data(self, opcode: Opcode, data: BytesLike, fin: bool) -> None:
        if self._state is not OPEN:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        if self.debug or self.extensions:
            self.send_frame(Frame(opcode, data, fin))
        else:
            refuse_text(data)
            mask = True if self.side is CLIENT else None
            self.writes.append(wsframe.build_frame(opcode, data, fin=fin, mask=mask))
        self.expect_continuation_frame = not fin

    def _send_control(self, opcode: Opcode, data: BytesLike) -> None:
        if self._state is not OPEN and self._state is not CLOSING:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        self.send_frame(Frame(opcode, data))

    def _send_close(self, close: Close, payload: BytesLike) -> None:
        self.send_frame(Frame(Opcode.CLOSE, payload))
        self.close_sent = close
        self.state = CLOSING
