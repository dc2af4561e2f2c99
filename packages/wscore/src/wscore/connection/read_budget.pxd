# The budget of one connection in one iteration of the event loop: how much of its input is read,
# parsed and delivered before others get their turn. Nothing that a peer sends may keep the loop
# from iterating.
#
# A turn consists of reads (`SocketTransport`), and what they bring is delivered in rounds of frames
# (`WSProtocolCore`). The time of user code counts in both, so that a slow handler ends the turn at
# the first opportunity.

cdef enum:
    # A round is this many frames. Another one follows while less than ROUND_TIME has passed since
    # the read. A frame of a compressed message counts as several: inflated, it may be a thousand
    # times as large.
    ROUND_FRAMES = 64
    MAX_ROUNDS = 16
    COMPRESSED_WEIGHT = 16
    ROUND_TIME = 500 * 1000  # nanoseconds
    SMALL_READ = 4096  # bytes: for a smaller read the clock is not consulted

    # A turn is at most this many bytes, and no read begins after TURN_TIME. Only the connection
    # that also read last gets more than one read.
    TURN_SIZE = 1024 * 1024
    TURN_TIME = 1000 * 1000  # nanoseconds
