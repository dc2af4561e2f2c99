"""Auto ping at work: the timer and the listener's part around `auto_ping`'s logic."""

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
        listener: who sends the ping and knows the pong.
        make_logic: makes the `AutoPing`, given the time.
    """

    def __init__(self, WSTransport transport not None, WSListener listener not None, make_logic):
        self.transport = transport
        self.listener = listener
        self._logic = make_logic(monotonic())
        self._look()

    cdef bint answers(self, WSFrame frame) except -1:
        """Whether the frame is the pong that is waited for."""
        if self._watch is None or not self.listener.is_user_specific_pong(frame):
            return False
        self.pong_received()
        return True

    def pong_received(self):
        """The ping was answered."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
            self._look()

    cdef int stop(self) except -1:
        """The connection is gone."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return 0

    def _look(self):
        """Ping, or see when to look again."""
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
