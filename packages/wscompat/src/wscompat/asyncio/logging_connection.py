"""Connections that log all that they send and receive at the level DEBUG, as websockets does.

Only connections whose logger is at that level are of this kind; the others must not pay for it.
What goes over the wire must be the same for both. Messages are logged as they are before
compression and other extensions.
"""

from __future__ import annotations

import logging
from typing import Any

import wscore

from ..frames import Close, CloseCode, Frame, Opcode
from ..http11 import Request, Response
from ..typing import DataLike, LoggerLike
from .connection import Connection
from .extension_connection import C, ExtensionConnection, with_mixin
from .protocol_view import ProtocolView

__all__ = [
    "LoggingConnection",
    "LoggingExtensionConnection",
    "LoggingTransport",
    "class_for",
    "is_logged",
]

_IS_CLOSING = "= connection is CLOSING"


def is_logged(logger: LoggerLike) -> bool:
    """Return whether connections with this logger log all that they send and receive.

    Args:
        logger: where they log.
    """
    return logger.isEnabledFor(logging.DEBUG)


def class_for(connection_class: type[C], logger: LoggerLike, is_extended: bool) -> type[C]:
    """Return the class for connections that log or not, with extensions or without.

    Args:
        connection_class: its base class.
        logger: where they log.
        is_extended: whether there are extensions that wscore does not know.
    """
    if is_logged(logger):
        return with_mixin(
            connection_class, LoggingExtensionConnection if is_extended else LoggingConnection
        )
    return with_mixin(connection_class) if is_extended else connection_class


class LoggingTransport:
    """A transport that logs the frames it sends; all else is the transport's own.

    Args:
        connection: whose transport this is.
        transport: the transport that sends; an `EncodingTransport` if there are extensions.

    Attributes:
        logged_transport: as given; broadcasts are sent by it, and logged afterwards.
        close_is_logged: whether the CLOSE that was sent is in the log.
    """

    def __init__(self, connection: Connection, transport: Any) -> None:
        self.logged_transport = transport
        self._logger = connection.logger
        self.close_is_logged = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.logged_transport, name)

    def send_message(self, msg_type: wscore.WSMsgType, message: DataLike, fin: bool = True) -> None:
        """Send a message, or a fragment of one, and log it."""
        data = message.encode() if isinstance(message, str) else message
        self.logged_transport.send_message(msg_type, data, fin)
        self.log_message(msg_type, data, fin)

    def log_message(self, msg_type: wscore.WSMsgType, message: DataLike, fin: bool = True) -> None:
        """Log a message, or a fragment of one, that was sent."""
        data = message.encode() if isinstance(message, str) else message
        self._log(Frame(Opcode(msg_type), data, fin))

    def send_ping(self, payload: bytes) -> None:
        """Send a PING, and log it."""
        self.logged_transport.send_ping(payload)
        self._log(Frame(Opcode.PING, payload))

    def send_pong(self, payload: bytes) -> None:
        """Send a PONG, and log it."""
        self.logged_transport.send_pong(payload)
        self._log(Frame(Opcode.PONG, payload))

    def answer_ping(self, payload: bytes) -> None:
        """Answer a PING, and log the answer, unless it has to wait for room."""
        pong = Frame(Opcode.PONG, payload)
        if self.logged_transport.answer_ping(payload):
            self._log(pong)
        else:
            self._logger.debug("- no room, until the next PING this waits: %s", pong)

    def send_close(self, code: CloseCode | int, reason: str | None) -> None:
        """Send a CLOSE, and log it."""
        self.logged_transport.send_close(code, reason)
        self.log_close(Close(code, reason or ""))

    def fail(self, code: CloseCode | int, reason: str | None) -> None:
        """Fail the connection, and log the CLOSE that is sent."""
        self.logged_transport.fail(code, reason)
        self.log_close(Close(code, reason or ""))

    def log_close(self, close: Close) -> None:
        """Log that a CLOSE was sent, unless that was done.

        Args:
            close: its content.
        """
        if self.close_is_logged:
            return
        self.close_is_logged = True
        is_empty = close.code in (wscore.WSCloseCode.NO_INFO, CloseCode.NO_STATUS_RCVD)
        self._log(Frame(Opcode.CLOSE, b"" if is_empty else close.serialize()))
        self._logger.debug(_IS_CLOSING)

    def _log(self, frame: Frame) -> None:
        self._logger.debug("> %s", frame)


class LoggingConnection(Connection):
    """The mixin for connections that log; see `with_mixin`."""

    _is_deflated = False  # whether the message that is being received is
    _opcode = Opcode.CONT  # of its last frame

    # -- the opening handshake

    def log_request(self, request: Request, arrow: str) -> None:
        """Log a request.

        Args:
            request: the request.
            arrow: ``>`` if it was sent, ``<`` if it was received.
        """
        line = f"{request.method} {request.path} {request.protocol}"
        self._log_headers(arrow, line, request)

    def log_response(self, response: Response, arrow: str) -> None:
        """Log a response.

        Args:
            response: the response.
            arrow: as for `log_request`.
        """
        line = f"HTTP/1.1 {response.status_code:d} {response.reason_phrase}"
        self._log_headers(arrow, line, response)
        if response.body:
            self.logger.debug("%s [body] (%d bytes)", arrow, len(response.body))

    def _log_headers(self, arrow: str, line: str, message: Request | Response) -> None:
        self.logger.debug("%s %s", arrow, line)
        for name, value in message.headers.raw_items():
            self.logger.debug("%s %s: %s", arrow, name, value)

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        """Log the handshake of the connection, which is open."""
        self._transport = transport  # adapters of the logger may use the connection
        sent, received = (">", "<") if transport.is_client_side else ("<", ">")
        if isinstance(self.protocol, ProtocolView):  # else a `ServerProtocol` has logged it
            self.logger.debug("= connection is CONNECTING")
        self.log_request(Request._from_core(transport.request), sent)
        self.log_response(Response._from_core(transport.response), received)
        self.logger.debug("= connection is OPEN")
        super().on_ws_connected(transport)

    def _sending_transport(self, transport: wscore.WSTransport) -> Any:
        return LoggingTransport(self, super()._sending_transport(transport))

    # -- frames

    def on_ws_frame(self, transport: wscore.WSTransport, frame: wscore.WSFrame) -> None:
        """Log a received frame. A PING is answered here; wscore would not report it."""
        if frame.msg_type <= wscore.WSMsgType.BINARY:
            self._log_data(frame)
            super().on_ws_frame(transport, frame)
            return
        payload = frame.get_payload_as_bytes()
        self.logger.debug("< %s", Frame(Opcode(frame.msg_type), payload))
        if frame.msg_type == wscore.WSMsgType.PING:
            self._transport.answer_ping(payload)
            return
        super().on_ws_frame(transport, frame)
        self._log_close_sent()

    def _log_data(self, frame: wscore.WSFrame) -> None:
        """Log a data frame, unless it has to be inflated first."""
        self._opcode = Opcode(frame.msg_type)
        if self._opcode is not Opcode.CONT:
            self._is_deflated = frame.rsv1
        if not self._is_deflated:
            payload = frame.get_payload_as_bytes()
            self.logger.debug("< %s", Frame(self._opcode, payload, frame.fin))

    def feed(self, is_text: bool, fin: bool, data: bytes) -> None:
        """Log a data frame that had to be inflated."""
        if self._is_deflated:
            self.logger.debug("< %s", Frame(self._opcode, data, fin))
        super().feed(is_text, fin, data)

    def on_ws_disconnected(self, transport: wscore.WSTransport) -> None:
        """Log the end of the connection."""
        self._log_close_sent()
        self.logger.debug("= connection is CLOSED")
        super().on_ws_disconnected(transport)

    def _log_close_sent(self) -> None:
        """Log the CLOSE if it was sent by wscore: as an answer, or because of an error."""
        close = self.protocol.close_sent
        if close is not None:
            self._transport.log_close(close)


class LoggingExtensionConnection(LoggingConnection, ExtensionConnection):
    """The same for connections with extensions that wscore does not know."""

    def _log_data(self, frame: wscore.WSFrame) -> None:
        """Log nothing before the extensions have decoded it."""

    def _frame_received(self, frame: Frame) -> None:
        self.logger.debug("< %s", frame)
