"""The cases: the behaviour of a peer or a program, its result, and the bound.

`conftest` runs each test that is marked with a case on all interfaces, sides and transports of the
row; `docs/_ext/bounds.py` makes the table of the page "What a connection may cost" from the same
rows. A bound names constants of the code in braces, never a figure that stands there already:
``{protocol.FRAMES_AT_ONCE}`` is one of wscore's module `protocol`, ``{wscompat.client.X}`` one of
another package, ``{serve(open_timeout)}`` the default value of an argument. After a bar comes the
unit: ``bytes`` or ``ns``.

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
        "After {protocol.FRAMES_AT_ONCE} frames the loop iterates, unless they took less than "
        "{protocol.ROUND_TIME|ns}; after {protocol.FRAMES_AT_ONCE*protocol.MOST_ROUNDS} of a "
        "read in any case. A frame of a compressed message counts for {protocol.COMPRESSED}. The "
        "rest is parsed in the next iteration, and until then nothing is read. A plain socket "
        "whose reads bring all that there is room for, {loop_io.RECEIVE_SIZE|bytes}, is read "
        "again, up to {socket_transport.MOST|bytes} in all, until {socket_transport.TURN_TIME|ns} "
        "are over, if no other connection has read since it did before.",
    ),
    Row(
        "messages always there",
        FAIRNESS,
        "`recv()` in a loop, or `async for`, while there is always another message.",
        "The same budget; of messages that were queued before awaiting gives "
        "{message_reader.AT_ONCE} at once, and then the loop iterates.",
        apis=_AWAITED,
        why_not=_NO_AWAITING,
    ),
    Row(
        "busy polling",
        FAIRNESS,
        "Data keeps coming on a connection with `busy_poll_us`.",
        "Polling ends with its time, and with the same budget.",
        apis=(CALLBACKS, READER),
        why_not={ASYNCIO: "it has no such argument", LEGACY: "it has no such argument"},
    ),
    Row(
        "many ready at once",
        FAIRNESS,
        "Many connections have something to read at once.",
        "Each is read once before one is read again; the loop iterates after "
        "{loop_io.SHARE|ns} of that.",
    ),
    Row(
        "thousands at once",
        FAIRNESS,
        "A broadcast, or the close of a server, to thousands of connections.",
        "One call serves all: see [below](#one-call-for-many-connections).",
        sides=("server",),
        why_not={"client": "a broadcast is the same call, and there is none to close them all"},
    ),
    Row(
        "a large payload",
        FAIRNESS,
        "A message of many megabytes is received.",
        "The loop iterates after each read, of {socket_transport.MOST|bytes} at most. Inflating, "
        "deflating and masking are done at once: see [below](#what-one-message-costs).",
    ),
    # -- bounds
    Row(
        "before the handshake",
        BOUNDS,
        "A peer sends an endless head: blank lines, header fields, or single bytes slowly.",
        "{http_reader.MAX_HEADERS} fields of {http_reader.MAX_LINE_SIZE|bytes}, "
        "{http_reader.MAX_HEAD_SIZE|bytes} in all, and "
        "{ws_create_server(websocket_handshake_timeout)} s (wscore's "
        "`websocket_handshake_timeout`) or {serve(open_timeout)} s (wscompat's `open_timeout`), "
        "whichever comes first.",
    ),
    Row(
        "TLS that never begins",
        BOUNDS,
        "A peer connects, and says nothing, or never ends its TLS handshake.",
        "The same time, from the TCP connection on.",
        securities=("tls",),
        why_not={"plain": "there is no such handshake"},
    ),
    Row(
        "pings without reading",
        BOUNDS,
        "A peer sends pings and reads no pongs.",
        "While output is blocked at most one pong waits: for the latest ping.",
    ),
    Row(
        "a peer that does not read",
        BOUNDS,
        "A peer does not take what is sent to it.",
        "`pause_writing` is called, or `send()` waits, at {socket_transport.HIGH_WATER|bytes} "
        "(wscore), {serve(write_limit)|bytes} (`write_limit` of wscompat) or "
        "{legacy_serve(write_limit)|bytes} (of its older interface) and one message.",
    ),
    Row(
        "nobody receives",
        BOUNDS,
        "A peer sends, and nobody receives.",
        "The socket is not read while {message_reader.HIGH} frames wait (wscore's `high`, "
        "wscompat's `max_queue`, {legacy_serve(max_queue)} in its older interface), or "
        "{message_reader.HIGH_BYTES|bytes} of them. In addition to these bytes there can be one "
        "message of the largest size, and {loop_io.RECEIVE_SIZE|bytes} of small ones or one more "
        "that was compressed. Bytes are those in memory: a str with a character beyond U+FFFF "
        "takes four for each of its characters. If the peer resets the connection then, what was "
        "read and does not fit is dropped.",
        apis=_AWAITED,
        why_not={CALLBACKS: "nothing is queued there"},
    ),
    Row(
        "inflating",
        BOUNDS,
        "A small compressed message becomes a huge one.",
        "The limit of messages ({protocol.MAX_FRAME_SIZE|bytes} in wscore, "
        "{serve(max_size)|bytes} in wscompat) is checked while inflating; close code 1009.",
    ),
    Row(
        "closing",
        BOUNDS,
        "A peer never answers a CLOSE, reads nothing more, and never closes TCP.",
        "One deadline: {ws_connect(disconnect_timeout)} s after `disconnect()` in wscore "
        "(`disconnect_timeout`; `send_close()` alone sets none), "
        "{serve(close_timeout)} s (`close_timeout`) in wscompat, where the older interface takes "
        "up to five times as long, one for each step; then the connection is aborted, "
        "which is reported like any other end.",
    ),
    Row(
        "memory after use",
        BOUNDS,
        "A connection had a large message once, or has compressed many.",
        "Memory of messages is given back: see [Performance](performance) for what an idle "
        "connection keeps. Of large ones a loop keeps the largest receive buffer, up to "
        "{loop_io.LARGEST_SPARE|bytes}, for the next one that comes within "
        "{loop_io.LARGE_IDLE} ms.",
    ),
    Row(
        "log records",
        BOUNDS,
        "A peer breaks the protocol, or breaks off.",
        "At most one record at WARNING or above, and no traceback. wscompat logs an exception that "
        "leaves a handler as websockets does, with its traceback.",
    ),
    # -- nothing is lost
    Row(
        "the end while the peer sends",
        DATA,
        "A graceful `disconnect()`, `close()` or the end of a handler while the peer is sending.",
        "All that was sent before arrives, the CLOSE too: what the peer still sends is read and "
        "thrown away, within the time for closing.",
    ),
    Row(
        "close while receiving",
        DATA,
        "One task closes while another one receives.",
        "It gets what the peer sent before its own CLOSE: whole messages, in order. With wscore's "
        "`disconnect()`, which ends the connection at once, what had come before that.",
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
        "The peer gets close code 1011; other connections do not notice.",
    ),
    Row(
        "keepalive",
        DATA,
        "The loop was blocked, and the pong lies unread in the socket.",
        "It counts before the connection is given up. Who stops reading and answering is found: "
        "{ws_create_server(auto_ping_reply_timeout)} s (wscore's servers), "
        "{ws_connect(auto_ping_reply_timeout)} s (its clients), {serve(ping_timeout)} s (wscompat) "
        "after the last byte of the ping left, or after the peer last acknowledged anything.",
    ),
    Row(
        "watching changes nothing",
        DATA,
        "A logger at DEBUG, the loop's debug mode, a subclass.",
        "The same bytes are sent, and the same messages received.",
    ),
    # -- misuse
    Row(
        "a subclass without __init__",
        MISUSE,
        "A subclass does not call `super().__init__()`.",
        "An exception that says so, or it works; never a crash.",
    ),
    Row(
        "before or after its time",
        MISUSE,
        "A connection is used before it is open, or after its end.",
        "The exception for closed connections; sending with wscore's transport does nothing.",
    ),
    Row(
        "another thread",
        MISUSE,
        "A connection is used from another thread than its loop's.",
        "`RuntimeError`.",
    ),
)

BY_NAME = {row.name: row for row in ROWS}
