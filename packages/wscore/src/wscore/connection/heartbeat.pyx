"""Auto ping of one connection: the timer and the calls of the listener, around `auto_ping`."""

from cpython.time cimport monotonic

from .state cimport LOST
from ..enums cimport INTERNAL_ERROR
from .failure cimport fail_for_exception
from .ping_watch cimport PingWatch
from ..loop.sealed_types cimport seal_type

from .auto_ping import Verdict


cdef class Heartbeat:
    """The auto ping of one open connection.

    Args:
        transport: the connection's.
        listener: sends the ping and recognises the pong.
        make_logic: makes the `AutoPing` from the current time.
    """

    def __init__(self, WSTransport transport not None, WSListener listener not None, make_logic):
        self.transport = transport
        self.listener = listener
        self._logic = make_logic(monotonic())
        self._look()

    cdef bint answers(self, WSFrame frame) except -1:
        """Return whether the frame is the awaited pong."""
        if self._watch is None or not self.listener.is_user_specific_pong(frame):
            return False
        self.pong_received()
        return True

    def pong_received(self):
        """Record that the ping was answered."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
            self._look()

    cdef int stop(self) except -1:
        """Stop pinging: the connection is lost."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return 0

    def _look(self):
        """Send a ping if one is due, or set the timer for the next look."""
        self._logic.data_received(self._heard_at)
        verdict, delay = self._logic.look(monotonic())
        if verdict is not Verdict.PING:
            self._timer = self.transport.loop.call_later(delay, self._look)
            return
        self._timer = None
        try:
            self.listener.send_user_specific_ping(self.transport)
        except BaseException as exc:
            fail_for_exception(self.transport, exc, "send_user_specific_ping")
        if self.transport.state != LOST:
            self._watch = PingWatch(self.transport, self._logic.reply_timeout, self._no_pong)

    def _no_pong(self):
        self._watch = None
        reason = f"no pong within {self._logic.reply_timeout:g} seconds"
        self.transport.logger.info("the connection is closed: %s", reason)
        self.transport.fail(INTERNAL_ERROR, reason)


seal_type(Heartbeat)
