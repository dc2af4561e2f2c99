"""Auto ping at work: the clock, the timer and the listener's part around `auto_ping`'s logic."""

from time import monotonic

from .auto_ping import Verdict
from .enums cimport INTERNAL_ERROR
from .failing cimport fail_for_exception


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
        self.logic = make_logic(monotonic())
        self._look()

    cdef int heard(self) except -1:
        """The peer has sent something."""
        self.logic.data_received(monotonic())
        return 0

    cdef bint answers(self, WSFrame frame) except -1:
        """Whether the frame is the pong that is waited for."""
        if not self.logic.is_waiting or not self.listener.is_user_specific_pong(frame):
            return False
        self.logic.pong_received()
        return True

    cdef int stop(self) except -1:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return 0

    def _look(self):
        """See what is to be done, and when to look again."""
        verdict, delay = self.logic.look(monotonic())
        self._timer = None
        if verdict is Verdict.DEAD:
            self.transport.logger.info(
                "the connection is closed: no pong within %g seconds", self.logic.reply_timeout
            )
            self.transport.fail(
                INTERNAL_ERROR, f"no pong within {self.logic.reply_timeout:g} seconds"
            )
            return
        self._timer = self.transport.loop.call_later(delay, self._look)
        if verdict is Verdict.PING:
            try:
                self.listener.send_user_specific_ping(self.transport)
            except BaseException as exc:
                fail_for_exception(self.transport, exc, "send_user_specific_ping")
