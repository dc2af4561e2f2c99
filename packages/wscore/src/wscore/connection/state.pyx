"""The life of a connection, from the opening handshake to the lost connection, as one table.

Every change of state goes through `next_state`, which refuses transitions that are not in it.

A connection is *disconnecting* from the moment this side has ended it: further input is discarded,
and the transport below is closed in a way that lets the peer read what it was sent before. If this
side had sent a CLOSE before `disconnect`, the peer's CLOSE is still awaited; not if the connection
*fails*: because of a refused request, a protocol error, an exception in user code, or because the
transport below was closed.
"""

__all__ = ["TRANSITIONS", "Event", "State", "WSCloseHandshake", "WSCloseInfo"]

TRANSITIONS = {
    State.HANDSHAKING: {
        Event.UPGRADE: State.OPEN,
        Event.FAIL: State.DISCONNECTING,
        Event.DISCONNECT: State.DISCONNECTING,
        Event.LOSE: State.LOST,
    },
    State.OPEN: {
        Event.SEND_CLOSE: State.CLOSE_SENT,
        Event.RECEIVE_CLOSE: State.CLOSE_RECEIVED,
        Event.FAIL: State.DISCONNECTING,
        Event.DISCONNECT: State.DISCONNECTING,
        Event.LOSE: State.LOST,
    },
    State.CLOSE_SENT: {
        Event.RECEIVE_CLOSE: State.CLOSED,
        Event.FAIL: State.DISCONNECTING,
        Event.DISCONNECT: State.AWAITING_CLOSE,
        Event.LOSE: State.LOST,
    },
    State.CLOSE_RECEIVED: {
        Event.SEND_CLOSE: State.CLOSED,
        Event.FAIL: State.DISCONNECTING,
        Event.DISCONNECT: State.DISCONNECTING,
        Event.LOSE: State.LOST,
    },
    State.CLOSED: {
        Event.FAIL: State.DISCONNECTING,
        Event.DISCONNECT: State.DISCONNECTING,
        Event.LOSE: State.LOST,
    },
    State.AWAITING_CLOSE: {
        Event.RECEIVE_CLOSE: State.DISCONNECTING,
        Event.FAIL: State.DISCONNECTING,
        Event.LOSE: State.LOST,
    },
    State.DISCONNECTING: {
        Event.LOSE: State.LOST,
    },
    State.LOST: {},
}

cdef int ILLEGAL = -1
cdef int[8][6] _table

for _state in State:
    for _event in Event:
        _table[<int>_state][<int>_event] = TRANSITIONS[_state].get(_event, ILLEGAL)


cdef State next_state(State state, Event event) except *:
    """Return the state after an event; raise RuntimeError if it cannot happen in this state."""
    cdef int following = _table[<int>state][<int>event]
    if following == ILLEGAL:
        raise RuntimeError(f"{Event(event)!r} cannot happen in {State(state)!r}")
    return <State>following


cdef str state_name(State state):
    return State(state).name


cdef bint is_legal(State state, Event event) noexcept:
    return _table[<int>state][<int>event] != ILLEGAL


cdef class WSCloseInfo:
    """The content of one CLOSE frame.

    Attributes:
        code: a `WSCloseCode`, which has no name if it is not a registered one;
            `WSCloseCode.NO_INFO` if the frame had none.
        reason: the reason, a str, or None if the frame had none.
    """

    def __cinit__(self, code, reason):
        self.code = code
        self.reason = reason

    def __repr__(self):
        return f"WSCloseInfo(code={self.code!r}, reason={self.reason!r})"


cdef class WSCloseHandshake:
    """The state of the closing handshake (RFC 6455, 7.1).

    Attributes:
        recv: the CLOSE that was received, or None.
        sent: the CLOSE that was sent, or None.
        recv_then_sent: whether the peer began, so that ours is the reply.
    """

    def __repr__(self):
        return (
            f"WSCloseHandshake(recv={self.recv!r}, sent={self.sent!r}, "
            f"recv_then_sent={bool(self.recv_then_sent)})"
        )
