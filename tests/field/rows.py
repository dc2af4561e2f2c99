"""The cases: the behaviour of a peer or a program, its result, and the bound.

`conftest` runs each test that is marked with a case on all interfaces, sides and transports of the
row; `docs/topics/cost.py` generates the tables of the page "What a connection may cost" from the
same rows. A bound names constants of the code in braces, and never repeats their values:
``{read_budget.ROUND_FRAMES}`` is a constant of wscore's module `read_budget`,
``{serve(open_timeout)}`` the default value of an argument. After a vertical bar comes the unit:
``bytes`` or ``ns``.

Only the standard library is imported: documentation is built without the tests' requirements.
"""

from dataclasses import dataclass, field

CALLBACKS, READER, ASYNCIO, LEGACY = APIS = ("callbacks", "reader", "asyncio", "legacy")
SIDES = ("client", "server")
SECURITIES = ("plain", "tls")

FAIRNESS, BOUNDS, DATA, MISUSE = SECTIONS = (
    "Fairness",
    "Bounds",
    "Nothing is lost",
    "Misuse raises an exception",
)


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        name: the argument of the tests' mark.
        section: one of `SECTIONS`.
        case: the behaviour of the peer, or of the program.
        bound: the result, and the number that bounds it; Markdown.
        apis: the interfaces that it applies to.
        sides: our sides that it applies to.
        securities: plain TCP, TLS, or both.
        why_not: the reason for each interface, side or transport that was left out of these.
    """

    name: str
    section: str
    case: str
    bound: str
    apis: tuple[str, ...] = APIS
    sides: tuple[str, ...] = SIDES
    securities: tuple[str, ...] = SECURITIES
    why_not: dict[str, str] = field(default_factory=dict)


_AWAITED = (READER, ASYNCIO, LEGACY)
_NO_AWAITING = {CALLBACKS: "nothing is awaited there"}

ROWS = (
    # -- fairness
    Row(
        "one fast peer",
        FAIRNESS,
        "A peer sends faster than its messages are handled.",
        "After {read_budget.ROUND_FRAMES} frames the iteration ends, unless they took less than "
        "{read_budget.ROUND_TIME|ns}; after "
        "{read_budget.ROUND_FRAMES*read_budget.MAX_ROUNDS} frames of one read it always ends. A "
        "frame of a compressed message counts as {read_budget.COMPRESSED_WEIGHT}. The rest is "
        "parsed in the next iteration, and nothing is read before that. If a read from a plain "
        "socket fills the buffer of {loop_io.RECEIVE_SIZE|bytes}, the socket is read again, up to "
        "{read_budget.TURN_SIZE|bytes} in all and for at most {read_budget.TURN_TIME|ns}, if "
        "no other connection has read since its previous read.",
    ),
    Row(
        "messages always there",
        FAIRNESS,
        "`recv()` in a loop, or `async for`, while there is always another message.",
        "The same budget. Of messages that are already queued, awaiting returns "
        "{message_reader.AT_ONCE} at once; then the loop iterates.",
        apis=_AWAITED,
        why_not=_NO_AWAITING,
    ),
    Row(
        "busy polling",
        FAIRNESS,
        "Data keeps arriving on a connection with `busy_poll_us`.",
        "Polling ends when its time is over, or the same budget is used up.",
        apis=(CALLBACKS, READER),
        why_not={ASYNCIO: "it has no such argument", LEGACY: "it has no such argument"},
    ),
    Row(
        "many ready at once",
        FAIRNESS,
        "Many connections have something to read at once.",
        "Each is read once before any is read again; the iteration ends after {loop_io.SHARE|ns} "
        "of reading.",
    ),
    Row(
        "thousands at once",
        FAIRNESS,
        "A broadcast to thousands of connections, or the close of a server with as many.",
        "One call handles all of them: see [below](#one-call-for-many-connections).",
        sides=("server",),
        why_not={"client": "a broadcast is the same call, and no call closes all connections"},
    ),
    Row(
        "a large payload",
        FAIRNESS,
        "A message of many megabytes is received.",
        "The loop iterates after each read of at most {read_budget.TURN_SIZE|bytes}. Compression, "
        "decompression and masking are done in one go: see [below](#what-one-message-costs).",
    ),
    # -- bounds
    Row(
        "before the handshake",
        BOUNDS,
        "A peer sends an endless handshake: blank lines, header fields, or single bytes slowly.",
        "{http_reader.MAX_HEADERS} fields of {http_reader.MAX_LINE_SIZE|bytes}, "
        "{http_reader.MAX_HEAD_SIZE|bytes} in all, and "
        "{ws_create_server(websocket_handshake_timeout)} s (wscore's "
        "`websocket_handshake_timeout`) or {serve(open_timeout)} s (wscompat's `open_timeout`), "
        "whichever comes first.",
    ),
    Row(
        "TLS that never begins",
        BOUNDS,
        "A peer connects and sends nothing, or never completes its TLS handshake.",
        "The same time limit, starting with the TCP connection.",
        securities=("tls",),
        why_not={"plain": "there is no TLS handshake"},
    ),
    Row(
        "pings without reading",
        BOUNDS,
        "A peer sends pings and reads no pongs.",
        "While output is blocked, at most one pong waits: the one for the latest ping.",
    ),
    Row(
        "a peer that does not read",
        BOUNDS,
        "A peer does not read the data that is sent to it.",
        "`pause_writing` is called, or `send()` waits, at {socket_transport.HIGH_WATER|bytes} "
        "(wscore), {serve(write_limit)|bytes} (`write_limit` of wscompat) or "
        "{legacy_serve(write_limit)|bytes} (of its older interface) and one message.",
    ),
    Row(
        "nobody receives",
        BOUNDS,
        "A peer sends, and the program does not receive.",
        "The socket is not read while {message_reader.HIGH} frames wait (wscore's `high`, "
        "wscompat's `max_queue`, {legacy_serve(max_queue)} in its older interface), or "
        "{message_reader.HIGH_BYTES|bytes} of them. In addition there can be one message of the "
        "largest size, and {loop_io.RECEIVE_SIZE|bytes} of small ones or one more compressed "
        "message. Sizes are those in memory: a str with a character beyond U+FFFF takes four "
        "bytes per character. If the peer then resets the connection, data that was read but does "
        "not fit is dropped.",
        apis=_AWAITED,
        why_not={CALLBACKS: "nothing is queued there"},
    ),
    Row(
        "inflating",
        BOUNDS,
        "A small compressed message becomes a huge one.",
        "The message size limit ({protocol.MAX_FRAME_SIZE|bytes} in wscore, "
        "{serve(max_size)|bytes} in wscompat) is checked during decompression; close code 1009.",
    ),
    Row(
        "closing",
        BOUNDS,
        "A peer never answers a CLOSE, stops reading, and never closes TCP.",
        "One deadline: {ws_connect(disconnect_timeout)} s after `disconnect()` in wscore "
        "(`disconnect_timeout`; `send_close()` alone sets none), {serve(close_timeout)} s "
        "(`close_timeout`) in wscompat; its older interface takes up to five times as long, one "
        "timeout for each step. Then the connection is aborted, which is reported like any other "
        "end.",
    ),
    Row(
        "memory after use",
        BOUNDS,
        "A connection had a large message once, or has compressed many.",
        "Memory for messages is freed: see [Performance](performance) for the memory of an idle "
        "connection. After large messages a loop keeps the largest receive buffer, up to "
        "{loop_io.LARGEST_SPARE|bytes}, for another one that arrives within {loop_io.LARGE_IDLE} "
        "ms.",
    ),
    Row(
        "log records",
        BOUNDS,
        "A peer violates the protocol, or drops the connection.",
        "At most one record at WARNING or above, and no traceback. wscompat logs an exception "
        "that leaves a handler with its traceback, as websockets does.",
    ),
    # -- nothing is lost
    Row(
        "the end while the peer sends",
        DATA,
        "A graceful `disconnect()`, `close()` or the end of a handler while the peer is sending.",
        "All data sent before arrives, including the CLOSE: data that the peer still sends is "
        "read and discarded, within the deadline for closing.",
    ),
    Row(
        "close while receiving",
        DATA,
        "One task closes while another one receives.",
        "The receiver gets everything that the peer sent before its own CLOSE: whole messages, in "
        "order. With wscore's `disconnect()`, which ends the connection at once, it gets "
        "everything that arrived before the call.",
        apis=_AWAITED,
        why_not=_NO_AWAITING,
    ),
    Row(
        "cancelled recv",
        DATA,
        "`recv()` is cancelled, or times out, at any moment.",
        "No message is lost, doubled or out of order.",
        apis=_AWAITED,
        why_not=_NO_AWAITING,
    ),
    Row(
        "exceptions of the program",
        DATA,
        "User code raises.",
        "The peer gets close code 1011; other connections are not affected.",
    ),
    Row(
        "keepalive",
        DATA,
        "The loop was blocked, and the pong is still unread in the socket.",
        "It is read before the connection is given up. A peer that stops reading and answering is "
        "detected {ws_create_server(auto_ping_reply_timeout)} s (wscore's servers), "
        "{ws_connect(auto_ping_reply_timeout)} s (its clients) or {serve(ping_timeout)} s "
        "(wscompat) after the last byte of the ping was sent, or after the peer last acknowledged "
        "data.",
    ),
    Row(
        "watching changes nothing",
        DATA,
        "A logger at DEBUG, the loop's debug mode, or a subclass is used.",
        "The same bytes are sent, and the same messages received.",
    ),
    # -- misuse
    Row(
        "a subclass without __init__",
        MISUSE,
        "A subclass does not call `super().__init__()`.",
        "An exception with this explanation, or it works; never a crash.",
    ),
    Row(
        "before or after its time",
        MISUSE,
        "A connection is used before it is open, or after it has ended.",
        "The exception for closed connections; sending with wscore's transport does nothing.",
    ),
    Row(
        "another thread",
        MISUSE,
        "A connection is used from a thread other than its loop's.",
        "`RuntimeError`.",
    ),
)

BY_NAME = {row.name: row for row in ROWS}
