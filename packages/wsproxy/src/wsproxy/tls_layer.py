"""TLS on top of any transport, including one that itself uses TLS.

asyncio's TLS is not used. If it is cancelled early in `create_connection()`, it leaves the
connection open. With TLS inside TLS, aborting or a failed handshake raises a `TypeError` in some
supported versions. And uvloop waits for ever if the connection is lost before `start_tls()`.

Only the methods of `asyncio.Transport` may be called on the lower transport.

                  upper protocol
                    |        ^
       TlsTransport v        | data, end, lost
                     TlsLayer
      encrypted data |       ^
                     v       |
                  lower transport
"""

import asyncio
import enum
import ssl
from collections.abc import Iterable
from typing import Any, cast

from .feed_protocol import deliver

__all__ = ["TlsLayer", "TlsTransport"]

# Maximum payload of a TLS record (RFC 8446, section 5.1); a read returns no more than that.
_READ_SIZE = 16 * 1024


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    OPEN = enum.auto()
    CLOSING = enum.auto()  # nothing more is sent, but the lower transport is not closed yet
    LOST = enum.auto()


# Every change of state goes through TlsLayer._enter(), which refuses all others.
_TRANSITIONS = {
    _State.HANDSHAKE: {_State.OPEN, _State.CLOSING, _State.LOST},
    _State.OPEN: {_State.CLOSING, _State.LOST},
    _State.CLOSING: {_State.LOST},
    _State.LOST: set[_State](),
}


class TlsLayer(asyncio.Protocol):
    """The client's side of a TLS connection, as the protocol of the lower transport.

    Args:
        context: certificates and options.
        server_hostname: the name that the certificate must match.
        protocol: gets a `TlsTransport` and the decrypted data, once the handshake is complete.

    Attributes:
        handshake: done when `protocol` has got its transport, or failed with an `OSError`; then the
            caller must abort the lower transport.
        lower: the lower transport.
        protocol: the upper protocol.
    """

    def __init__(
        self, context: ssl.SSLContext, server_hostname: str, protocol: asyncio.BaseProtocol
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._state = _State.HANDSHAKE
        self._is_connected = False  # whether the upper protocol has got the transport
        self._is_paused = False
        self._backlog = bytearray()
        self._transport = TlsTransport(self)
        self.lower: asyncio.Transport
        self.protocol = protocol
        self.handshake: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # -- called by the lower transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.lower = cast(asyncio.Transport, transport)
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Decrypt the data and deliver it."""
        self._incoming.write(data)
        self._advance()

    def eof_received(self) -> None:
        """Treat the end of the connection as the end of TLS; the lower transport closes itself."""
        self._incoming.write_eof()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report it to the protocol or, before the handshake is complete, to `handshake`."""
        if self._state is _State.LOST:
            return
        self._enter(_State.LOST)
        if self._is_connected:
            self.protocol.connection_lost(exc)
        else:
            self._fail(exc or ConnectionResetError("connection lost during the TLS handshake"))

    def pause_writing(self) -> None:
        """Forward it: all buffered output is in the lower transport."""
        if self._state is _State.OPEN:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Forward it."""
        if self._state is _State.OPEN:
            self.protocol.resume_writing()

    # -- called by the upper protocol, through TlsTransport

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._state in (_State.CLOSING, _State.LOST) or self.lower.is_closing()

    @property
    def is_paused(self) -> bool:
        """Whether the upper protocol has paused reading."""
        return self._is_paused

    def pause(self) -> None:
        """Deliver nothing until `resume()`, and pause the lower transport."""
        self._is_paused = True
        self.lower.pause_reading()

    def resume(self) -> None:
        """Resume with the data that has arrived meanwhile, after this call has returned."""
        if self._is_paused and not self.is_closing:
            self._is_paused = False
            self.lower.resume_reading()
            asyncio.get_running_loop().call_soon(self._advance)

    def send(self, data: bytes) -> None:
        """Encrypt and send."""
        if not self.is_closing:
            self._backlog += data
            self._encrypt()
            self._flush()

    def close(self) -> None:
        """Send close_notify (RFC 8446, section 6.1) and close once everything has been sent."""
        if self._state is _State.OPEN:
            self._enter(_State.CLOSING)
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # raised because the peer's close_notify is not waited for
            self._flush()
        self.lower.close()

    def abort(self) -> None:
        """Close at once."""
        # asyncio's own transports cannot be aborted after connection_lost().
        if self._state is not _State.LOST:
            self.lower.abort()

    def info(self, name: str) -> Any:
        """Return TLS's value for a name of `get_extra_info()`, or None."""
        match name:
            case "ssl_object":
                return self._tls
            case "sslcontext":
                return self._tls.context
            case "peercert":
                return self._tls.getpeercert()
            case "cipher":
                return self._tls.cipher()
            case "compression":
                return self._tls.compression()
        return None

    # -- private

    def _enter(self, state: _State) -> None:
        if state not in _TRANSITIONS[self._state]:
            raise RuntimeError(f"a TLS layer cannot go from {self._state} to {state}")
        self._state = state

    def _advance(self) -> None:
        """Process the received data as far as possible."""
        if self._state is _State.HANDSHAKE:
            self._shake_hands()
        if self._state is _State.OPEN:
            self._decrypt()
        if self._state is _State.OPEN:
            self._encrypt()
            self._flush()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except (ssl.SSLError, ssl.CertificateError) as exc:
            self._enter(_State.CLOSING)
            self._flush()  # the alert
            self._fail(exc)
        else:
            self._flush()
            self._enter(_State.OPEN)
            self._is_connected = True
            self.protocol.connection_made(self._transport)
            if not self.handshake.done():
                self.handshake.set_result(None)

    def _fail(self, exc: Exception) -> None:
        if not self.handshake.done():
            self.handshake.set_exception(exc)

    def _decrypt(self) -> None:
        """Deliver decrypted data until reading is paused."""
        while self._state is _State.OPEN and not self._is_paused:
            try:
                data = self._tls.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                return
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            except ssl.SSLError:
                # A TLS violation: no later data can be trusted.
                self.lower.abort()
                return
            if not data:
                self._end()
                return
            deliver(self.protocol, data)

    def _end(self) -> None:
        """Handle the peer's end of TLS. As in asyncio, there are no half-closed connections."""
        cast(asyncio.Protocol, self.protocol).eof_received()
        if self._state is _State.OPEN:
            self.close()

    def _encrypt(self) -> None:
        """Encrypt waiting data. Some of it keeps waiting only if TLS must read before writing."""
        while self._backlog:
            try:
                sent = self._tls.write(self._backlog)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLError:
                self.lower.abort()
                return
            del self._backlog[:sent]

    def _flush(self) -> None:
        if self._outgoing.pending and not self.lower.is_closing():
            self.lower.write(self._outgoing.read())


class TlsTransport(asyncio.Transport):
    """The transport of a `TlsLayer`'s upper protocol, with the methods of `asyncio.Transport`."""

    def __init__(self, layer: TlsLayer) -> None:
        super().__init__()
        self._layer = layer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Ask TLS first, then the transport below."""
        value = self._layer.info(name)
        return self._layer.lower.get_extra_info(name, default) if value is None else value

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the protocol that gets the data from now on."""
        self._layer.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._layer.protocol

    def is_closing(self) -> bool:
        """Return whether it is closed or closing."""
        return self._layer.is_closing

    def close(self) -> None:
        """Close after all written data has been sent."""
        self._layer.close()

    def abort(self) -> None:
        """Close at once; written data may be lost."""
        self._layer.abort()

    def is_reading(self) -> bool:
        """Return whether the protocol gets data."""
        return not (self._layer.is_paused or self._layer.is_closing)

    def pause_reading(self) -> None:
        """Stop delivering data to the protocol."""
        self._layer.pause()

    def resume_reading(self) -> None:
        """Deliver data to the protocol again."""
        self._layer.resume()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, without waiting."""
        self._layer.send(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all of it, as few TLS records as possible."""
        self._layer.send(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Return False: closing only one direction is not supported over TLS."""
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the limits at which `pause_writing()` and `resume_writing()` are called."""
        self._layer.lower.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many (encrypted) bytes wait to be sent."""
        return self._layer.lower.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high limit."""
        return self._layer.lower.get_write_buffer_limits()
