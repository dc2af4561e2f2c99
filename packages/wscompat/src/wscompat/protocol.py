"""A WebSocket connection without I/O: bytes in, events out; calls in, bytes out.

Frames are parsed and built by wsframe; this file applies them to the connection, in the
order receive, send, events, and then the private parts. It must never touch a socket or a clock.
"""

from __future__ import annotations

import enum
import functools
import logging
import uuid
from collections.abc import Generator

import wsframe

from .exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidState,
    PayloadTooBig,
    ProtocolError,
)
from .extensions.base import Extension
from .extensions.permessage_deflate import PerMessageDeflate
from .frames import OK_CLOSE_CODES, Close, CloseCode, Frame, Opcode, refuse_text
from .http11 import Request, Response
from .limits import payload_limit
from .parser_errors import translate, unexpected_eof
from .streams import StreamReader
from .typing import BytesLike, LoggerLike, Origin, Subprotocol

__all__ = ["SEND_EOF", "Protocol", "Side", "State"]


class Side(enum.IntEnum):
    """Which end of the connection this is."""

    SERVER = 0
    CLIENT = 1


class State(enum.IntEnum):
    """The state of a connection (RFC 6455, 4 and 7)."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


SERVER, CLIENT = Side.SERVER, Side.CLIENT
CONNECTING, OPEN, CLOSING, CLOSED = State.CONNECTING, State.OPEN, State.CLOSING, State.CLOSED

SEND_EOF = b""
"""Among the data to send: close the sending half of the TCP connection."""


Event = Request | Response | Frame
"""An item of `Protocol.events_received`."""

_OPCODES = [Opcode(code) if code in (0, 1, 2, 8, 9, 10) else None for code in range(16)]
_RSV1 = 4


class Protocol:
    """One end of a connection, without I/O.

    Args:
        side: which end.
        state: its state.
        max_size: bytes of a received message, or a pair of limits for message and fragment; None
            for no limit.
        logger: where to log; ``websockets.client`` or ``websockets.server`` if None.

    Attributes:
        logger: where it logs.
        origin: the ``Origin`` of the request, on a server.
        extensions: the extensions in use.
        subprotocol: the subprotocol that was agreed on, or None.
        handshake_exc: why the opening handshake failed, or None.
        close_rcvd: the CLOSE that was received, or None.
        close_sent: the CLOSE that was sent, or None.
        close_rcvd_then_sent: if there are both, whether the peer's was first.
        parser_exc: why receiving ended before the closing handshake did, or None.
    """

    def __init__(
        self,
        side: Side,
        *,
        state: State = OPEN,
        max_size: tuple[int | None, int | None] | int | None = 2**20,
        logger: LoggerLike | None = None,
    ) -> None:
        self.logger = logger or logging.getLogger(f"websockets.{side.name.lower()}")
        self.debug = self.logger.isEnabledFor(logging.DEBUG)
        self.side = side
        self.state = state
        self.extensions: list[Extension] = []
        sizes = max_size if isinstance(max_size, tuple) else (max_size, None)
        self.max_message_size, self.max_fragment_size = sizes
        self.current_size: int | None = None  # of the message that is being received
        self.expect_continuation_frame = False  # of the message that is being sent
        self.origin: Origin | None = None
        self.subprotocol: Subprotocol | None = None
        self.handshake_exc: Exception | None = None
        self.close_rcvd: Close | None = None
        self.close_sent: Close | None = None
        self.close_rcvd_then_sent: bool | None = None
        self.parser_exc: Exception | None = None
        self.eof_sent = False
        self.writes: list[bytes] = []
        self.events: list[Event] = []
        self.reader = StreamReader()
        # One of these two parses received data; when both are None it is ignored.
        self.parser: Generator[None] | None = self.parse()
        self._frames: wsframe.FrameParser | None = None

    @functools.cached_property
    def id(self) -> uuid.UUID:
        """A random identifier, for logs."""
        return uuid.uuid4()

    @property
    def state(self) -> State:
        """The state of the connection."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if self.debug:
            self.logger.debug("= connection is %s", state.name)
        self._state = state

    # -- receive

    def receive_data(self, data: bytes | bytearray) -> None:
        """Process received data. Then look at `data_to_send` and `events_received`.

        Args:
            data: the bytes.

        Raises:
            EOFError: after `receive_eof`.
        """
        if self.reader.eof:
            raise EOFError("stream ended")
        if self._frames is not None:
            self._parse_frames(self._frames, data)
        elif self.parser is not None:
            self.reader.feed_data(data)
            next(self.parser, None)

    def receive_eof(self) -> None:
        """Process the end of the stream. Then look at `data_to_send`.

        Calling it again does nothing.
        """
        if self.reader.eof:
            return
        self.reader.feed_eof()
        if self._frames is not None:
            self._parsing_failed(unexpected_eof(self._frames))
        elif self.parser is not None:
            next(self.parser, None)
        if not self.eof_sent:
            self.send_eof()
        self.state = CLOSED
        if self.side is SERVER:
            self.logger.info("connection closed")

    # -- send

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
            frame: the frame.

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

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail the connection (RFC 6455, 7.1.7): data received later is ignored.

        Args:
            code: the close code; 1006 to send no CLOSE.
            reason: the close reason.

        Raises:
            ProtocolError: if the code may not be sent, or the reason is too long.
        """
        if self.state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            close = Close(code, reason)
            self._send_close(close, close.serialize())
        self._end_receiving()

    def data_to_send(self) -> list[bytes]:
        """Return the data to send since the last call; `SEND_EOF` may be its last item."""
        writes, self.writes = self.writes, []
        return writes

    # -- events

    def events_received(self) -> list[Event]:
        """Return the events since the last call, in their order."""
        events, self.events = self.events, []
        return events

    def close_expected(self) -> bool:
        """Return whether the peer is expected to close the TCP connection.

        If so, close it after some time if the peer does not.
        """
        return self._state is CLOSING or (self._state is CONNECTING and self.eof_sent)

    @property
    def close_code(self) -> int | None:
        """The close code received, 1006 if there was none; None before the end."""
        if self._state is not CLOSED:
            return None
        return CloseCode.ABNORMAL_CLOSURE if self.close_rcvd is None else self.close_rcvd.code

    @property
    def close_reason(self) -> str | None:
        """The close reason received, empty if there was none; None before the end."""
        if self._state is not CLOSED:
            return None
        return "" if self.close_rcvd is None else self.close_rcvd.reason

    @property
    def close_exc(self) -> ConnectionClosed:
        """The exception for calls on the connection after its end.

        Raises:
            AssertionError: before the end.
        """
        if self._state is not CLOSED:
            raise AssertionError("connection isn't closed yet")
        rcvd, sent = self.close_rcvd, self.close_sent
        is_ok = (
            rcvd is not None
            and sent is not None
            and rcvd.code in OK_CLOSE_CODES
            and sent.code in OK_CLOSE_CODES
        )
        kind = ConnectionClosedOK if is_ok else ConnectionClosedError
        exc = kind(rcvd, sent, self.close_rcvd_then_sent)
        exc.__cause__ = self.parser_exc
        return exc

    # -- receiving

    def parse(self) -> Generator[None]:
        """Parse received data from the first byte on; subclasses parse the handshake before.

        It yields when more data is needed, and never raises. Where wsframe can parse frames in C it
        leaves them to that; otherwise extensions may do anything with any frame.
        """
        try:
            while not (yield from self.reader.at_eof()):
                if self._is_simple():
                    self._start_frames()
                    return
                frame = yield from Frame.parse(
                    self.reader.read_exact,
                    mask=self.side is SERVER,
                    max_size=self._payload_limit(),
                    extensions=self.extensions,
                )
                self.recv_frame(frame)
            raise EOFError("unexpected end of stream")
        except Exception as exc:
            self._parsing_failed(exc)

    def _start_frames(self) -> None:
        """Let wsframe parse received data from now on."""
        self._frames = wsframe.FrameParser(
            wsframe.Role[self.side.name],
            rsv_allowed=_RSV1 if self.extensions or self._state is CONNECTING else 0,
            check_utf8=False,
            max_message_size=0,  # checked here, for the messages of websockets
        )
        self.parser = None
        received = bytes(self.reader.buffer)
        self.reader.discard()
        self._parse_frames(self._frames, received)

    def _is_simple(self) -> bool:
        """Return whether compression is the only extension that is or can still be in use."""
        return all(type(extension) is PerMessageDeflate for extension in self.extensions)

    def _parse_frames(self, frames: wsframe.FrameParser, data: bytes | bytearray) -> None:
        try:
            for raw in frames.feed(data):
                limit = self._payload_limit()
                payload = raw.payload
                if limit is not None and len(payload) > limit:
                    raise PayloadTooBig(len(payload), limit)
                frame = Frame(_OPCODES[raw.opcode], payload, raw.fin)  # type: ignore[arg-type]
                if raw.rsv:
                    frame.rsv1 = True
                if self.extensions:
                    for extension in self.extensions:
                        frame = extension.decode(frame, max_size=limit)
                if frame.rsv1:
                    frame.check()
                self.recv_frame(frame)
            limit = self._payload_limit()
            if limit is not None and frames.payload_size > limit:
                raise PayloadTooBig(frames.payload_size, limit)
        except wsframe.FrameError as exc:
            self._parsing_failed(translate(exc))
        except Exception as exc:
            self._parsing_failed(exc)

    def _payload_limit(self) -> int | None:
        """Return how many bytes the payload of the next frame may have; None for any number."""
        return payload_limit(self.max_message_size, self.max_fragment_size, self.current_size)

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame that was received: answer it, and make it an event.

        Args:
            frame: the frame, decoded.

        Raises:
            ProtocolError: if it may not be here, or is a CLOSE with a wrong code.
            UnicodeDecodeError: if it is a CLOSE whose reason is not UTF-8.
        """
        if self.debug:
            self.logger.debug("< %s", frame)
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            if self.current_size is not None:
                raise ProtocolError("expected a continuation frame")
            if not frame.fin:
                self.current_size = len(frame.data)
        elif opcode is Opcode.CONT:
            if self.current_size is None:
                raise ProtocolError("unexpected continuation frame")
            self.current_size = None if frame.fin else self.current_size + len(frame.data)
        elif opcode is Opcode.PING:
            self.send_frame(Frame(Opcode.PONG, frame.data))
        elif opcode is Opcode.CLOSE:
            self._recv_close(frame)
        self.events.append(frame)

    def _recv_close(self, frame: Frame) -> None:
        self.close_rcvd = Close.parse(frame.data)
        if self.state is CLOSING:
            self.close_rcvd_then_sent = False
        elif self.state is OPEN:
            self.close_rcvd_then_sent = True
        if self.current_size is not None:
            raise ProtocolError("incomplete fragmented message")
        if self.state is OPEN:
            self._send_close(self.close_rcvd, frame.data)
        self._end_receiving()

    def _end_receiving(self) -> None:
        """Ignore data received later; a server also closes its sending half."""
        if self.side is SERVER and not self.eof_sent:
            self.send_eof()
        self.parser = None
        self._frames = None
        self.reader.discard()

    def _parsing_failed(self, exc: Exception) -> None:
        """Fail the connection with the close code for the error."""
        self.parser_exc = exc
        if isinstance(exc, EOFError):
            if self.debug:
                self.logger.debug("< EOF")
            self.fail(CloseCode.ABNORMAL_CLOSURE, str(exc))
        elif isinstance(exc, ProtocolError):
            self.fail(CloseCode.PROTOCOL_ERROR, str(exc))
        elif isinstance(exc, UnicodeDecodeError):
            self.fail(CloseCode.INVALID_DATA, f"{exc.reason} at position {exc.start}")
        elif isinstance(exc, PayloadTooBig):
            exc.set_current_size(self.current_size)
            self.fail(CloseCode.MESSAGE_TOO_BIG, str(exc))
        else:
            self.logger.error("parser failed", exc_info=exc)
            self.fail(CloseCode.INTERNAL_ERROR)

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
