"""What became of an input, and whether two APIs agree on it.

`RULES` is the table of the differences for which there is a reason; any other is unexplained.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from tests.fuzz_live.features import Features, features_of
from tests.fuzz_live.inputs import Input

__all__ = ["RULES", "Rule", "Verdict", "explain"]

_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d)")


@dataclass
class Verdict:
    """What became of an input.

    Attributes:
        status: of a server's response; None without one.
        outcome: of a client's handshake: `open` with the subprotocol, or the exception.
        extensions: that a server agreed on.
        subprotocol: that a server chose.
        count: how many messages were delivered.
        checksum: of all of them.
        sent: the code of the CLOSE that was sent; None without one.
        received: the code of the CLOSE that was received.
        pongs: how many were sent.
        reset: whether the connection was reset.
        hang: whether there was no verdict in time.
    """

    status: int | None
    outcome: str = ""
    extensions: str = ""
    subprotocol: str = ""
    count: int = 0
    checksum: int = 0
    sent: int | None = None
    received: int | None = None
    pongs: int = 0
    reset: bool = False
    hang: bool = False

    @classmethod
    def from_wire(cls, data: bytes, *, reset: bool) -> "Verdict":
        """Read what a server sent."""
        found = _STATUS.match(data)
        if found is None:
            return cls(status=None, reset=reset)
        verdict = cls(status=int(found[1]), reset=reset)
        if verdict.status == 101:
            head, _, frames = data.partition(b"\r\n\r\n")
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"sec-websocket-extensions":
                    verdict.extensions = value.strip().decode()
                elif name.lower() == b"sec-websocket-protocol":
                    verdict.subprotocol = value.strip().decode()
            verdict._read_frames(frames)
        return verdict

    def _read_frames(self, frames: bytes) -> None:
        """Read control frames; there are no others."""
        at = 0
        while at + 2 <= len(frames):
            opcode, size = frames[at] & 15, frames[at + 1]
            payload = frames[at + 2 : at + 2 + size]
            at += 2 + size
            if opcode == 10:
                self.pongs += 1
            elif opcode == 8:
                self.sent = int.from_bytes(payload[:2], "big") if payload else 1005

    def of_core(self) -> "Verdict":
        """Return it without what wscore leaves to its user, or says in other words."""
        word = self.outcome.split(" ")
        outcome = word[0] if word[0] in ("", "open") else "refused"
        return replace(self, outcome=outcome, subprotocol="", extensions="", reset=False)

    def differences(self, other: "Verdict") -> tuple[str, ...]:
        """Return what is not the same."""
        names = (each.name for each in fields(self) if each.name != "reset")
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True)
class Rule:
    """A difference from websockets for which there is a reason.

    Attributes:
        name: for the figures.
        role: `server`, `client`, or `both`.
        reason: why it is right.
        holds: whether it explains a difference, given the features of the input, the verdict of
            websockets, and the other one.
    """

    name: str
    role: str
    reason: str
    holds: Callable[[Features, Verdict, Verdict], bool]


def explain(role: str, api: str, fuzzed: Input, theirs: Verdict, ours: Verdict) -> Rule | None:
    """Return the rule for a difference; None if there is none."""
    features = features_of(role, fuzzed)
    for rule in RULES + (CORE_RULES if api == "wscore" else ()):
        if rule.role in (role, "both") and rule.holds(features, theirs, ours):
            return rule
    return None


def _is_open(verdict: Verdict) -> bool:
    return verdict.status == 101 or verdict.outcome.startswith("open")


def _both_open(theirs: Verdict, ours: Verdict) -> bool:
    return _is_open(theirs) and _is_open(ours)


FAULTS = (1002, 1007, 1009)
REFUSALS = (400, 403, 405, 414, 426, 431, 501, 505)


LISTS = (b"connection", b"upgrade", b"sec-websocket-extensions", b"sec-websocket-protocol")


def _has_empty_element(value: bytes) -> bool:
    return any(not element.strip(b" \t") for element in value.split(b","))


def _has_body(features: Features) -> bool:
    """Tell whether a head announces a body, or announces in no valid way that there is none."""
    length = features.values.get(b"content-length", b"0")
    return b"transfer-encoding" in features.values or length.strip(b"0") != b"" or not length


RULES = (
    # -- requests
    Rule(
        "not HTTP",
        "server",
        "websockets closes without a response if it cannot parse a request; here there is a "
        "status.",
        lambda f, a, b: (
            a.status is None
            and b.status in REFUSALS
            and not (f.line and f.regular and not f.blank and f.longest < 8000)
        ),
    ),
    Rule(
        "blank lines",
        "server",
        "Empty lines before a request line should be ignored (RFC 9112, 2.2).",
        lambda f, a, b: f.blank and a.status is None and b.status is not None,
    ),
    Rule(
        "early bytes",
        "server",
        "Data received before the response is buffered; websockets cannot respond then.",
        lambda f, a, b: f.early and a.status is None and b.status is not None,
    ),
    Rule(
        "Host",
        "server",
        "There must be exactly one Host header (RFC 9112, 3.2).",
        lambda f, a, b: b.status == 400 and a.status in (101, 426) and f.counts[b"host"] != 1,
    ),
    Rule(
        "request target",
        "server",
        "A request target must begin with a slash, or be an absolute URI (RFC 9112, 3.2).",
        lambda f, a, b: b.status == 400 and not f.line,
    ),
    Rule(
        "body",
        "server",
        "A request with a body is refused with 400, or for its method, version or missing "
        "upgrade; websockets closes some without a response.",
        lambda f, a, b: (
            (b.status == 400 and a.status in (101, 426, None) and _has_body(f))
            or (b.status in (405, 426, 505) and a.status is None and _has_body(f))
        ),
    ),
    Rule(
        "syntax first",
        "server",
        "Malformed headers and lines, and limits, are checked before the requirements of an "
        "upgrade.",
        lambda f, a, b: (
            b.status in (400, 414, 431)
            and a.status in REFUSALS
            and not (f.regular and f.line and f.longest < 8000 and f.counts[b"host"] == 1)
        ),
    ),
    # -- responses
    Rule(
        "status line",
        "client",
        "A status line may end after the status code, as with some servers; empty lines are "
        "ignored.",
        lambda f, a, b: a.outcome in ("InvalidMessage", "refused") and (f.blank or not f.line),
    ),
    Rule(
        "interim response",
        "client",
        "Interim responses are skipped; the final response follows (RFC 9110, 15.2).",
        lambda f, a, b: f.interim and not _is_open(a),
    ),
    Rule(
        "body on 101",
        "client",
        "A 101 response has no body (RFC 9110, 15.2); one that announces a body is refused.",
        lambda f, a, b: _is_open(a) and not _is_open(b) and _has_body(f),
    ),
    Rule(
        "endless head",
        "client",
        "Headers that cannot become valid, or exceed a limit, are refused as soon as this is "
        "known.",
        lambda f, a, b: a.outcome in ("TimeoutError", "EOFError") and b.outcome.startswith("Inv"),
    ),
    Rule(
        "transfer coding",
        "client",
        "A response with a transfer coding other than chunked ends with the connection (RFC 9112, "
        "6.3); websockets does not read it.",
        lambda f, a, b: (
            a.outcome == "InvalidMessage"
            and b.outcome.startswith("InvalidStatus")
            and b"transfer-encoding" in f.values
        ),
    ),
    Rule(
        "two faults in a head",
        "client",
        "If a header section has two errors, either may be reported.",
        lambda f, a, b: (
            not _is_open(a)
            and b.outcome.startswith("Inv")
            and not (f.line and f.regular and f.longest < 8000)
        ),
    ),
    Rule(
        "empty elements",
        "both",
        "Empty list elements are accepted (RFC 9110, 5.6.1.2).",
        lambda f, a, b: (
            _is_open(b)
            and (a.outcome in ("InvalidHeaderFormat", "refused") or a.status == 400)
            and any(_has_empty_element(value) for value in map(f.values.get, LISTS) if value)
        ),
    ),
    # -- frames
    Rule(
        "long length",
        "both",
        "A length must be in its shortest form (RFC 6455, 5.2); websockets accepts any form.",
        lambda f, a, b: _both_open(a, b) and "long length" in f.frames and b.sent in FAULTS,
    ),
    Rule(
        "top bit",
        "both",
        "A length with its most significant bit set is malformed (RFC 6455, 5.2): 1002, not 1009.",
        lambda f, a, b: (
            _both_open(a, b) and "top bit" in f.frames and (a.sent, b.sent) == (1009, 1002)
        ),
    ),
    Rule(
        "at the limit",
        "both",
        "A fragmented message may be as large as the limit; websockets then rejects an empty "
        "fragment or a control frame that follows.",
        lambda f, a, b: (
            _both_open(a, b)
            and "more at the limit" in f.frames
            and a.sent == 1009
            and a.count <= b.count
        ),
    ),
    Rule(
        "bad text",
        "both",
        "Text that is not UTF-8 is rejected when it arrives; websockets decodes it in recv().",
        lambda f, a, b: _both_open(a, b) and "bad text" in f.frames and 1007 in (a.sent, b.sent),
    ),
    Rule(
        "final block",
        "both",
        "A deflate stream may end within a message and another one begin (RFC 7692, 7.2.3.4); "
        "websockets drops the data after the first one.",
        lambda f, a, b: _both_open(a, b) and "final block" in f.frames,
    ),
    Rule(
        "unfinished block",
        "both",
        "A compressed message that ends within a deflate block, or is empty, is corrupt in a way "
        "that zlib does not report; the decompressor of websockets is out of step from then on.",
        lambda f, a, b: _both_open(a, b) and "unfinished block" in f.frames,
    ),
    Rule(
        "judged early",
        "both",
        "An error in a header or in text is reported as soon as it arrives, without waiting for "
        "the rest of the frame.",
        lambda f, a, b: (
            _both_open(a, b)
            and bool(f.frames & {"ends early", "ends in a message"})
            and a.sent is None
            and b.sent in FAULTS
            and a.count == b.count
        ),
    ),
    Rule(
        "judged late",
        "both",
        "A header is checked when all of it has arrived, including the masking key.",
        lambda f, a, b: (
            _both_open(a, b)
            and "ends early" in f.frames
            and a.sent in FAULTS
            and b.sent is None
            and a.count == b.count
        ),
    ),
    Rule(
        "two faults",
        "both",
        "If a frame has two errors, either may be reported; the messages before it are the same.",
        lambda f, a, b: (
            _both_open(a, b) and a.sent in FAULTS and b.sent in FAULTS and a.count == b.count
        ),
    ),
)

# wscore need not be like websockets.
CORE_RULES = (
    Rule(
        "426",
        "server",
        "wscore responds with 426 if a request does not ask for an upgrade, or for version 13.",
        lambda f, a, b: (a.status, b.status) == (400, 426),
    ),
    Rule(
        "lists",
        "server",
        "wscore parses Upgrade, Connection and Sec-WebSocket-Version as lists; websockets "
        "requires a single well-formed value.",
        lambda f, a, b: (
            (a.status in (400, 426) and b.status in (101, 400))
            and any(
                b"," in f.values.get(name, b"") or f.counts[name] > 1
                for name in (b"upgrade", b"connection", b"sec-websocket-version")
            )
        ),
    ),
    Rule(
        "close in a message",
        "both",
        "A control frame, including a CLOSE, may come between the fragments of a message (RFC "
        "6455, 5.4); websockets then fails the connection with 1002.",
        lambda f, a, b: (
            _both_open(a, b)
            and "close in a message" in f.frames
            and a.sent == 1002
            and b.sent == b.received
            and a.count == b.count
        ),
    ),
    Rule(
        "Origin",
        "server",
        "wscore leaves checking Origin, including repeated ones, to the program.",
        lambda f, a, b: a.status == 400 and b.status == 101 and f.counts[b"origin"] > 1,
    ),
)
