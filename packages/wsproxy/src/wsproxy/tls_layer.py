"""TLS on top of any transport, also on one that is TLS itself.

asyncio's own is not used. Cancelled early in `create_connection()`, it leaves the connection open;
TLS inside TLS fails with a `TypeError` in some supported versions when it is aborted or the
handshake fails; and uvloop waits for ever if the connection was lost before `start_tls()`.

The transport below must be told only what `asyncio.Transport` has.

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

# What one TLS record holds at most (RFC 8446, section 5.1); a read returns no more than that.
_READ_SIZE = 16 * 1024


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    OPEN = enum.auto()
    CLOSING = enum.auto()  # nothing is sent any more, but the transport below is not gone yet
    LOST = enum.auto()


# Every change of state goes through TlsLayer._enter(), which refuses all others.
_TRANSITIONS = {
    _State.HANDSHAKE: {_State.OPEN, _State.CLOSING, _State.LOST},
    _State.OPEN: {_State.CLOSING, _State.LOST},
    _State.CLOSING: {_State.LOST},
    _State.LOST: set[_State](),
}


class TlsLayer(asyncio.Protocol):
    """The client's side of a TLS connection, as the protocol of the transport below.

    Args:
        context: certificates and options.
        server_hostname: the name the certificate has to bear.
        protocol: gets a `TlsTransport` and what is decrypted, once the handshake is done.

    Attributes:
        handshake: done when `protocol` has been given its transport, or failed with an `OSError`;
            then the transport below is the caller's to abort.
        lower: the transport below.
        protocol: the protocol above.
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
        self._is_connected = False  # whether the protocol above has been given the transport
        self._is_paused = False
        self._backlog = bytearray()
        self._transport = TlsTransport(self)
        self.lower: asyncio.Transport
        self.protocol = protocol
        self.handshake: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- from below ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.lower = cast(asyncio.Transport, transport)
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Decrypt, and hand on what comes out."""
        self._incoming.write(data)
        self._advance()

    def eof_received(self) -> None:
        """Take the end of the connection for the end of TLS; the transport below closes itself."""
        self._incoming.write_eof()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever has been told that there was a connection."""
        if self._state is _State.LOST:
            return
        self._enter(_State.LOST)
        if self._is_connected:
            self.protocol.connection_lost(exc)
        else:
            self._fail(exc or ConnectionResetError("the connection was lost in the TLS handshake"))

    def pause_writing(self) -> None:
        """Pass it on: what is buffered below is what is buffered here."""
        if self._state is _State.OPEN:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._state is _State.OPEN:
            self.protocol.resume_writing()

    # --- from above, through TlsTransport ---

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._state in (_State.CLOSING, _State.LOST) or self.lower.is_closing()

    @property
    def is_paused(self) -> bool:
        """Whether the protocol above wants no data at the moment."""
        return self._is_paused

    def pause(self) -> None:
        """Hand nothing on until `resume()`, and take nothing more from below."""
        self._is_paused = True
        self.lower.pause_reading()

    def resume(self) -> None:
        """Go on, beginning with what has arrived meanwhile, but not before this call returns."""
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
        """Say goodbye (RFC 8446, section 6.1) and close once everything has left."""
        if self._state is _State.OPEN:
            self._enter(_State.CLOSING)
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # the peer's goodbye, which is not waited for
            self._flush()
        self.lower.close()

    def abort(self) -> None:
        """Close at once."""
        # asyncio's own transports cannot be aborted once they are gone.
        if self._state is not _State.LOST:
            self.lower.abort()

    def info(self, name: str) -> Any:
        """Return what TLS knows under a name of `get_extra_info()`, or None."""
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

    # --- private ---

    def _enter(self, state: _State) -> None:
        if state not in _TRANSITIONS[self._state]:
            raise RuntimeError(f"a TLS layer cannot go from {self._state} to {state}")
        self._state = state

    def _advance(self) -> None:
        """Do all that can be done with what has arrived."""
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
        except (ssl.SSLError, ssl.CertificateError) as error:
            self._enter(_State.CLOSING)
            self._flush()  # the alert
            self._fail(error)
        else:
            self._flush()
            self._enter(_State.OPEN)
            self._is_connected = True
            self.protocol.connection_made(self._transport)
            if not self.handshake.done():
                self.handshake.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.handshake.done():
            self.handshake.set_exception(error)

    def _decrypt(self) -> None:
        """Hand on what can be decrypted, for as long as it is wanted."""
        while self._state is _State.OPEN and not self._is_paused:
            try:
                data = self._tls.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                return
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            except ssl.SSLError:
                # Not TLS any more: nothing that follows can be trusted.
                self.lower.abort()
                return
            if not data:
                self._end()
                return
            deliver(self.protocol, data)

    def _end(self) -> None:
        """The peer has ended: TLS has no half-closed connections here, as in asyncio."""
        cast(asyncio.Protocol, self.protocol).eof_received()
        if self._state is _State.OPEN:
            self.close()

    def _encrypt(self) -> None:
        """Encrypt what waits. It waits longer only where TLS has to read before it may write."""
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
    """What the protocol above a `TlsLayer` sees; every method is that of `asyncio.Transport`."""

    def __init__(self, layer: TlsLayer) -> None:
        super().__init__()
        self._layer = layer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Ask TLS first, then the transport below."""
        value = self._layer.info(name)
        return self._layer.lower.get_extra_info(name, default) if value is None else value

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the protocol that gets what arrives from now on."""
        self._layer.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._layer.protocol

    def is_closing(self) -> bool:
        """Whether it is closed or being closed."""
        return self._layer.is_closing

    def close(self) -> None:
        """Close after what was written has been sent."""
        self._layer.close()

    def abort(self) -> None:
        """Close at once; what was written may be lost."""
        self._layer.abort()

    def is_reading(self) -> bool:
        """Whether the protocol gets data."""
        return not (self._layer.is_paused or self._layer.is_closing)

    def pause_reading(self) -> None:
        """Give the protocol no data for a while."""
        self._layer.pause()

    def resume_reading(self) -> None:
        """Give the protocol data again."""
        self._layer.resume()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, without waiting."""
        self._layer.send(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all of it, as few TLS records as possible."""
        self._layer.send(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """TLS cannot end one direction only."""
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the limits at which the protocol is told to pause and to resume writing."""
        self._layer.lower.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many (encrypted) bytes wait to be sent."""
        return self._layer.lower.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high limit."""
        return self._layer.lower.get_write_buffer_limits()
