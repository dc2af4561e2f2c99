# The life of a connection as a table, and the record of its closing handshake.

cpdef enum State:
    HANDSHAKING
    OPEN
    CLOSE_SENT
    CLOSE_RECEIVED
    CLOSED
    AWAITING_CLOSE
    DISCONNECTING
    LOST

cpdef enum Event:
    UPGRADE
    SEND_CLOSE
    RECEIVE_CLOSE
    FAIL
    DISCONNECT
    LOSE

cdef State next_state(State state, Event event) except *
cdef str state_name(State state)
cdef bint is_legal(State state, Event event) noexcept

cdef inline bint can_send(State state) noexcept:
    """Return whether frames may be sent: not after our CLOSE (RFC 6455, 5.5.1)."""
    return state == OPEN or state == CLOSE_RECEIVED


cdef inline bint can_receive(State state) noexcept:
    """Return whether frames are delivered: not after the peer's CLOSE, nor after a failure."""
    return state == OPEN or state == CLOSE_SENT


cdef inline bint is_disconnected(State state) noexcept:
    return state >= AWAITING_CLOSE


cdef class WSCloseInfo:
    cdef readonly object code
    cdef readonly object reason


cdef class WSCloseHandshake:
    cdef readonly WSCloseInfo recv
    cdef readonly WSCloseInfo sent
    cdef readonly bint recv_then_sent
