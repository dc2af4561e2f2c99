"""TLS on a connected stream socket: how a connection begins and how it ends.

The cryptography is that of Python's `ssl`, or of the OpenSSL below it, in memory (`tls_session`);
the records are `tls_stream`'s.

It must never trouble the loop's exception handler for what a peer does: one that breaks off its
handshake is a line of debug output.
"""

from .openssl_session cimport OpensslSession, new_session
from ..connection.protocol cimport WSProtocolCore
from ..loop.sealed_types cimport seal_type
from ..sockets.socket_transport cimport SocketTransport
from .tls_stream cimport SAYING_GOODBYE, SECURED, SHAKING_HANDS

__all__ = ["TlsTransport"]


cdef class TlsTransport(TlsStream):
    """The transport below a `WSTransport` on TLS.

    It has the methods of `asyncio.Transport`. The protocol is told of it when the handshake is
    complete; if that fails, never.

    Args:
        loop: the running loop.
        sock: a connected, non-blocking socket; it belongs to the transport from now on.
        protocol: who gets what is received.
        context: the `ssl.SSLContext`.
        handshake_timeout: seconds that the handshake may take.
        shutdown_timeout: seconds that the end may take, instead of the protocol's
            ``disconnect_timeout``; that if None.
        server_side: whether this side is the server.
        server_hostname: whom a client expects, or None.
        opened: a future that is told how the handshake ended; without one a failure is logged.
    """

    def __init__(
        self,
        loop,
        sock,
        WSProtocolCore protocol not None,
        context,
        handshake_timeout,
        shutdown_timeout,
        *,
        bint server_side=False,
        server_hostname=None,
        opened=None,
    ):
        self.attach(loop, sock, protocol)
        try:
            self._tls = new_session(context, server_side, server_hostname)
        except BaseException:
            self._close_socket()
            raise
        self._context = context
        self._opened = opened
        self._shutdown_timeout = shutdown_timeout
        self._timer = loop.call_later(handshake_timeout, self._took_too_long, handshake_timeout)
        self.resume_reading()
        if not server_side:
            self._shake_hands()

    cdef int _shake_hands(self) except -1:
        """A step of the handshake; whoever waits for it is told when it is over."""
        try:
            if not self._tls.shake_hands():
                return self._answer()
        except Exception as exc:
            self._answer()  # an alert tells the peer
            return self._end(exc)
        self._stop_timer()
        self._stage = SECURED
        self.protocol.connection_made(self)
        if self._shutdown_timeout is not None:
            self.protocol.transport.disconnect_timeout = self._shutdown_timeout
        self._report(None)
        self._decrypt()
        self._deliver()
        if self._tls.has_answer():  # and it leaves together with what the protocol has to say
            self._fetch()
        return self.flush()

    cdef int _end_received(self) except -1:
        self._peer_has_ended = True
        if self._stage == SHAKING_HANDS:
            return self._end(ConnectionResetError("the peer went away in the TLS handshake"))
        if self._stage == SAYING_GOODBYE:
            return self._end(None)
        self._stop_reading()
        if self.protocol.holds_end():
            self._end_is_due = True
        elif not self.protocol.eof_received():
            self.close()
        return 0

    # -- the end

    def close(self):
        """Close when all is sent, and the peer has ended its side or the time for that is up."""
        if self._stage == SHAKING_HANDS:
            self.abort()
        else:
            SocketTransport.close(self)

    cdef int _send_rest(self) except -1:
        self._send_pending()
        return 0 if self._lost else self._check_limits()

    cdef int _say_goodbye(self) except -1:
        """End our side, with the last of what is sent if there is any."""
        if self._has_ended or self._lost or self._awaits_close():
            return 0
        self._has_ended = True
        if self._sealed == NULL:
            self._stage = SAYING_GOODBYE
        if self._tls.say_goodbye():
            self._peer_has_ended = True
        self._end_size = self._fetch()
        return 0

    cdef int _finish(self) except -1:
        """Closing, and all is sent: wait for the peer to end its side as well.

        Our direction of TCP stays open as long: peers have been seen to drop what they had not read
        yet when both that and the end of TLS came at once.
        """
        if not self._has_ended:
            return 0
        self._stage = SAYING_GOODBYE
        return self._end(None) if self._peer_has_ended else 0

    def _took_too_long(self, seconds):
        self._end(ConnectionAbortedError(f"the TLS handshake took longer than {seconds} seconds"))

    cdef int _end(self, object exc) except -1:
        if self._lost:
            return 0
        if self._stage == SAYING_GOODBYE and self._unsent() == 0:
            return SocketTransport._end(self, None)  # whatever the peer did about it
        if self._stage != SHAKING_HANDS:
            return SocketTransport._end(self, exc)
        self._stop()
        self._close_socket()
        return self._report(exc)

    cdef int _stop(self) except -1:
        SocketTransport._stop(self)
        if self._sealed != NULL:
            self.io.give_back(self._sealed)
            self._sealed = NULL
        return 0

    cdef int _report(self, object exc) except -1:
        """Tell how the handshake ended."""
        opened, self._opened = self._opened, None
        if opened is None:
            if exc is not None:
                self.protocol.logger.debug(
                    "TLS handshake with %s failed: %r", self.get_extra_info("peername"), exc
                )
        elif not opened.done():
            if exc is None:
                opened.set_result(None)
            else:
                opened.set_exception(exc)
                opened.exception()  # whoever was to ask for it may have been cancelled
        return 0

    # -- what asyncio tells of a transport

    def get_extra_info(self, name, default=None):
        """What is known of the connection.

        Args:
            name: ``socket``, ``sockname``, ``peername``; ``ssl_object``, ``sslcontext``,
                ``peercert``, ``cipher``, ``compression``; ``records``, which is ``openssl`` or
                ``ssl`` for who encrypts them.
            default: what is returned for any other name.
        """
        if name == "ssl_object":
            return self._tls.ssl_object
        if name == "records":
            return "openssl" if isinstance(self._tls, OpensslSession) else "ssl"
        if name == "sslcontext":
            return self._context
        if name == "peercert":
            return self._tls.ssl_object.getpeercert()
        if name == "cipher":
            return self._tls.ssl_object.cipher()
        if name == "compression":
            return self._tls.ssl_object.compression()
        return SocketTransport.get_extra_info(self, name, default)


seal_type(TlsTransport)
