"""What there is in an input that APIs may judge in different ways: read by code of its own.

It is no judge: it reads on where a receiver would have stopped.
"""

import re
import zlib
from collections import Counter
from dataclasses import dataclass, field

from tests.fuzz_live.inputs import Input
from tests.fuzz_live.target import MAX_SIZE

__all__ = ["Features", "features_of"]

EMPTY_BLOCK = b"\x03\x00"  # the last one of a stream (RFC 1951, 3.2.6)

_TARGET = re.compile(rb"[A-Z]+ (/|\*|https?://)[\x21-\x7e]* HTTP/1\.1")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 [1-9]\d\d [\t\x20-\x7e\x80-\xff]*")
_INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)\d\d\b")
_HEADER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")


@dataclass
class Features:
    """What an input has.

    Attributes:
        blank: blank lines in front of the head.
        line: a start line in order.
        regular: all headers in order, each line ended by CR LF, as RFC 9112 has it.
        counts: how often there is each header, in lower case.
        values: of the headers, joined with commas where there are several of one name.
        size: of the head.
        longest: of its lines.
        early: whether frames, or other bytes, may come ahead of the response.
        interim: an interim response, such as 100, before the one that counts.
        frames: names of what is peculiar about the frames.
    """

    blank: bool = False
    line: bool = True
    regular: bool = True
    counts: Counter[bytes] = field(default_factory=Counter)
    values: dict[bytes, bytes] = field(default_factory=dict)
    size: int = 0
    longest: int = 0
    early: bool = False
    interim: bool = False
    frames: set[str] = field(default_factory=set)


def features_of(role: str, fuzzed: Input) -> Features:
    """Look at an input for this role."""
    found = Features(size=len(fuzzed.head), early=fuzzed.pipelined)
    head = fuzzed.head
    while head.startswith((b"\r\n", b"\n")):
        found.blank, head = True, head[head.index(b"\n") + 1 :]
    lines = head.split(b"\r\n")
    pattern = _TARGET if role == "server" else _STATUS_LINE
    found.line = bool(pattern.fullmatch(lines[0]))
    found.interim = role == "client" and bool(_INTERIM.match(lines[0]))
    for number, line in enumerate(lines[1:], 1):
        if not line:
            if number == len(lines) - 1:  # the end of the last header, and no more
                found.regular = False
            else:
                found.early |= number != len(lines) - 2 or lines[-1] != b""
            break
        found.regular = found.regular and bool(_HEADER.fullmatch(line))
        name, _, value = line.partition(b":")
        found.counts[name.lower()] += 1
        value = value.strip(b" \t")
        if found.counts[name.lower()] > 1:
            value = found.values[name.lower()] + b"," + value
        found.values[name.lower()] = value
        found.longest = max(found.longest, len(line))
    else:
        found.regular = False
    found.regular = found.regular and _has_known_end(role, found.values)
    found.frames = frames_of(fuzzed.frames)
    return found


def _has_known_end(role: str, values: dict[bytes, bytes]) -> bool:
    """Tell whether it can be said where a message ends (RFC 9112, 6.3)."""
    length, coding = values.get(b"content-length"), values.get(b"transfer-encoding")
    if coding is not None:
        is_chunked = coding.lower().endswith(b"chunked")
        is_list = all(item.strip(b" \t") for item in coding.split(b","))
        return length is None and is_list and (is_chunked or role == "client")
    return length is None or (length.isdigit() and int(length) < 1 << 64)


def frames_of(data: bytes) -> set[str]:
    """Return what is peculiar about frames."""
    found: set[str] = set()
    at, inside, text, parts, deflated = 0, False, False, [b""], False
    history = b""  # what was inflated before, which later messages may refer to
    while at < len(data):
        if at + 2 > len(data):
            found.add("ends early")
            break
        first, second = data[at], data[at + 1]
        size, at = second & 127, at + 2
        if size > 125:
            length = 2 if size == 126 else 8
            size = int.from_bytes(data[at : at + length], "big")
            at += length
            if size < (126 if length == 2 else 1 << 16):
                found.add("long length")
            if size >> 63:
                found.add("top bit")
        key = data[at : at + 4] if second & 128 else b""
        at += 4 if second & 128 else 0
        payload = data[at : at + min(size, 1 << 20)]
        if len(payload) < size:
            found.add("ends early")
        at += size
        if len(key) == 4 and len(payload) < 70_000:
            payload = _unmasked(payload, key)
        opcode, fin = first & 15, first >> 7
        if opcode == 8:
            found.add("close in a message" if inside else "close")
            if not _is_text(payload[2:]):
                found.add("bad text")
        elif opcode in (0, 1, 2):
            if opcode:
                inside, text, parts, deflated = True, opcode == 1, [], bool(first & 64)
            parts.append(payload)
            inside = not fin
            whole = b"".join(parts)
            if deflated:
                whole = _inflated(whole, history, found)
                history = (history + whole)[-32768:] if fin else history
            is_complete = bool(fin) and len(payload) >= size
            if text and not _is_text(whole, whole=is_complete):
                found.add("bad text")
            if len(whole) > MAX_SIZE or size > MAX_SIZE:
                found.add("large")
            if MAX_SIZE - 125 <= len(whole) <= MAX_SIZE and not fin:
                found.add("more at the limit")
    if at > len(data):
        found.add("ends early")
    if inside:
        found.add("ends in a message")
    return found


def _unmasked(data: bytes, key: bytes) -> bytes:
    pattern = (key * (len(data) // 4 + 1))[: len(data)]
    number = int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")
    return number.to_bytes(len(data), "big")


def _inflated(data: bytes, history: bytes, found: set[str]) -> bytes:
    """Inflate with the messages before; what cannot be is for the APIs to judge."""
    inflater = zlib.decompressobj(wbits=-15, zdict=history)
    try:
        result = inflater.decompress(data + b"\0\0\xff\xff", 70_000)
    except zlib.error:
        found.add("not inflated")
        return b""
    if inflater.eof:
        found.add("final block")
        return result
    if inflater.unconsumed_tail:  # too large to look at
        return result
    try:
        more = inflater.decompress(EMPTY_BLOCK)
    except zlib.error:
        more = b"?"
    if more or not inflater.eof:
        found.add("unfinished block")
    return result


def _is_text(data: bytes, *, whole: bool = True) -> bool:
    """Tell whether this is UTF-8, or the beginning of such."""
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        return not whole and exc.reason == "unexpected end of data"
    return True
