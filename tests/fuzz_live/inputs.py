"""Inputs of the live fuzzer: valid handshakes and frames, and what mutations make of them.

An input is drawn from a seed and its number, so that it can be made again. Mutations know the
structure of what they change; now and then one changes any byte.
"""

import base64
import hashlib
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["ACCEPT", "SUBPROTOCOLS", "Input", "client_input", "draw_accept", "server_input"]

SUBPROTOCOLS = ("chat", "superchat")
ACCEPT = b"@ACCEPT@"  # stands for the key's answer until the request is known
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = list[tuple[bytes, bytes]]


@dataclass
class Input:
    """What is sent to one side.

    Attributes:
        number: with the seed it makes the input again.
        changes: what was mutated, for the rules and the report.
        head: the request, or the response.
        frames: what follows at once.
        cuts: where to cut all of it, so that it comes in several reads.
        pipelined: whether frames are sent before there is a response.
    """

    number: int
    changes: list[str]
    head: bytes
    frames: bytes
    cuts: list[int] = field(default_factory=list)
    pipelined: bool = False

    def pieces(self, accept: bytes = b"") -> tuple[list[bytes], list[bytes]]:
        """Return what to send, one by one, of the head and of the frames."""
        head = self.head.replace(ACCEPT, accept)
        after = [cut - len(head) for cut in self.cuts]
        return _cut(head, self.cuts), _cut(self.frames, after)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = [*(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < b]


def draw_accept(key: bytes) -> bytes:
    """Return what answers a key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def server_input(seed: int, number: int) -> Input:
    """Make an input for servers."""
    rng = random.Random(f"{seed} {number} server")
    changes: list[str] = []
    line, headers = _request(rng)
    mutated = rng.random()
    if mutated < 0.65:
        line, headers = _mutate_headers(rng, line, headers, changes, is_request=True)
    head = _head(rng, line, headers, changes if mutated < 0.2 else None)
    if mutated < 0.05:
        head = _mutate_bytes(rng, head, changes, "head")
    deflated = b"permessage-deflate" in head
    frames = _frames(rng, changes, mutated >= 0.55, masked=True, deflated=deflated)
    cuts = _cuts(rng, len(head) + len(frames))
    return Input(number, changes, head, frames, cuts, rng.random() < 0.1)


def client_input(seed: int, number: int) -> Input:
    """Make an input for clients."""
    rng = random.Random(f"{seed} {number} client")
    changes: list[str] = []
    line, headers = _response(rng)
    mutated = rng.random()
    if mutated < 0.65:
        line, headers = _mutate_headers(rng, line, headers, changes, is_request=False)
    head = _head(rng, line, headers, changes if mutated < 0.2 else None)
    if mutated < 0.05:
        head = _mutate_bytes(rng, head, changes, "head")
    deflated = b"permessage-deflate" in head
    frames = _frames(rng, changes, mutated >= 0.55, masked=False, deflated=deflated)
    return Input(number, changes, head, frames, _cuts(rng, len(head) + len(frames)))


def _cuts(rng: random.Random, size: int) -> list[int]:
    if rng.random() < 0.6 or size < 2:
        return []
    return sorted({rng.randrange(1, size) for _ in range(rng.randrange(1, 5))})


# -- heads


def _request(rng: random.Random) -> tuple[bytes, Headers]:
    headers = [
        (b"Host", rng.choice((b"localhost", b"127.0.0.1:8765", b"[::1]:80"))),
        (b"Upgrade", rng.choice((b"websocket", b"WebSocket"))),
        (b"Connection", rng.choice((b"Upgrade", b"keep-alive, Upgrade", b"upgrade"))),
        (b"Sec-WebSocket-Key", base64.b64encode(rng.randbytes(16))),
        (b"Sec-WebSocket-Version", b"13"),
    ]
    if rng.random() < 0.3:
        headers.append((b"Origin", b"http://example.com"))
    if rng.random() < 0.3:
        headers += [(b"User-Agent", b"Mozilla/5.0 (X11)"), (b"Accept-Encoding", b"gzip, br")]
    if rng.random() < 0.5:
        headers.append((b"Sec-WebSocket-Extensions", rng.choice(_OFFERS)))
    if rng.random() < 0.3:
        headers.append((b"Sec-WebSocket-Protocol", rng.choice((b"chat", b"soap, chat"))))
    if rng.random() < 0.2:
        rng.shuffle(headers)
    target = rng.choice((b"/", b"/chat?token=1", b"/%7Euser/a;b=c"))
    return b"GET " + target + b" HTTP/1.1", headers


def _response(rng: random.Random) -> tuple[bytes, Headers]:
    headers = [
        (b"Upgrade", rng.choice((b"websocket", b"WebSocket"))),
        (b"Connection", rng.choice((b"Upgrade", b"upgrade"))),
        (b"Sec-WebSocket-Accept", ACCEPT),
    ]
    if rng.random() < 0.3:
        headers += [(b"Server", b"nginx"), (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT")]
    if rng.random() < 0.4:
        headers.append((b"Sec-WebSocket-Extensions", rng.choice(_AGREED)))
    if rng.random() < 0.3:
        headers.append((b"Sec-WebSocket-Protocol", rng.choice((b"chat", b"superchat"))))
    if rng.random() < 0.2:
        rng.shuffle(headers)
    reason = rng.choice((b" Switching Protocols", b" Web Socket Protocol Handshake", b" OK"))
    return b"HTTP/1.1 101" + reason, headers


_OFFERS = (
    b"permessage-deflate",
    b"permessage-deflate; client_max_window_bits",
    b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=12",
    b"x-webkit-deflate-frame, permessage-deflate; client_max_window_bits=15",
    b'permessage-deflate; server_max_window_bits="10"',
)
_AGREED = (
    b"permessage-deflate",
    b"permessage-deflate; server_no_context_takeover",
    b"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
    b"permessage-deflate; client_max_window_bits=9",
)

# What a header may be given instead, or what else there may be; sorted by the header's name.
_VALUES: dict[bytes, tuple[bytes, ...]] = {
    b"Host": (b"", b"a b", b"a,b", b"localhost:99999", b"\xc3\xa9.example", b"user@host"),
    b"Upgrade": (
        b"",
        b"h2c",
        b"h2c, websocket",
        b"websocket, h2c",
        b"websocket,",
        b",websocket",
        b"websocket/13",
        b"websocket websocket",
        b"\xa0websocket",
        b"websocke",
        b"WEBSOCKET",
    ),
    b"Connection": (
        b"",
        b"close",
        b"keep-alive",
        b"upgrade,",
        b", ,Upgrade",
        b"Upgrade;q=1",
        b"UPGRADE",
        b"close, upgrade",
        b"up grade",
    ),
    b"Sec-WebSocket-Key": (
        b"",
        b"AAAA",
        b"AAAAAAAAAAAAAAAAAAAAAA==",
        b"AAAAAAAAAAAAAAAAAAAAAB==",
        b"AAAAAAAAAAAAAAAAAAAAAA",
        b"AAAAAAAAAAAAAAAAAAAAAAA=",
        b"AAAAAAAAAAAAAAAAAAAAAA== ",
        b"!AAAAAAAAAAAAAAAAAAAAAA==",
        b"AAAAAAAAAAAAAAAAAAAAAAAA==",
        b"AAAA AAAAAAAAAAAAAAAAAA==",
        b"----------------------==",
    ),
    b"Sec-WebSocket-Version": (b"", b"8", b"7, 13", b"13, 8", b"013", b"13 ", b"+13", b"x", b"14"),
    b"Sec-WebSocket-Extensions": (
        b"",
        b",",
        b"permessage-deflate,",
        b", permessage-deflate",
        b"permessage-deflate;",
        b"permessage-deflate; server_max_window_bits=8",
        b"permessage-deflate; server_max_window_bits=16",
        b"permessage-deflate; server_max_window_bits=07",
        b"permessage-deflate; client_max_window_bits=8",
        b"permessage-deflate; client_max_window_bits=7",
        b"permessage-deflate; client_max_window_bits; client_max_window_bits",
        b"permessage-deflate; unknown",
        b"permessage-deflate; unknown=1, permessage-deflate",
        b"permessage-deflate; server_no_context_takeover=1",
        b"permessage-deflate; server_max_window_bits",
        b"permessage-deflate, permessage-deflate",
        b"Permessage-Deflate",
        b"x-unknown",
        b"x-unknown; a=b; c",
        b'x-unknown; a="b c"',
        b'x-unknown; a="b',
        b"permessage deflate",
        b"=",
        b"permessage-deflate; =",
        b"permessage-deflate ; client_max_window_bits = 10",
    ),
    b"Sec-WebSocket-Protocol": (
        b"",
        b",",
        b"chat,",
        b"soap,,chat",
        b"chat, chat",
        b"Chat",
        b"other",
        b"a b",
        b"chat;a",
        b"superchat, chat",
        b"(chat)",
    ),
    b"Sec-WebSocket-Accept": (
        b"",
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ACCEPT + b"=",
        ACCEPT + b" ",
        ACCEPT + b", " + ACCEPT,
        b"x",
    ),
    b"Content-Length": (b"0", b"5", b"-1", b"x", b"", b"0, 0", b"99999999999999999999", b"+0"),
    b"Transfer-Encoding": (b"chunked", b"identity", b"", b"gzip, chunked"),
    b"Expect": (b"100-continue",),
    b"Authorization": (b"Basic eDp5", b"Bearer x"),
    b"Location": (b"/elsewhere", b"http://127.0.0.1:1/", b""),
    b"Cookie": (b"a=b; c=d", b"\xff\xfe"),
    b"X-Test": (b"", b" \t ", b"\x7f", b"\x01", b"\xe9", b"x" * 3000, b"x" * 9000, b"\x00"),
}
_METHODS = (b"GET", b"get", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"G T", b"", b"PRI", b"GET\t")
_TARGETS = (
    b"*",
    b"",
    b"//",
    b"/\xc3\xa9",
    b"/a b",
    b"http://localhost/",
    b"localhost:80",
    b"/" + b"x" * 5000,
    b"/" + b"x" * 9000,
    b"/\x00",
    b"?",
    b"/#fragment",
    b"\\",
)
_VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1.1 ",
    b"http/1.1",
    b"HTTP/1.11",
    b"HTTP/11",
    b"",
    b"HTTP/1.2",
    b"RTSP/1.0",
)
_STATUSES = (
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 301 Moved",
    b"HTTP/1.1 302 Found",
    b"HTTP/1.1 400 Bad Request",
    b"HTTP/1.1 404",
    b"HTTP/1.1 404 ",
    b"HTTP/1.1 500 " + b"x" * 200,
    b"HTTP/1.1 099 Low",
    b"HTTP/1.1 1010 Long",
    b"HTTP/1.1 10 Short",
    b"HTTP/1.1 101",
    b"HTTP/1.1  101 Two",
    b"HTTP/1.1 101 \xe9",
    b"HTTP/1.1 101 \x01",
    b"HTTP/1.0 101 Old",
    b"HTTP/2 101 New",
    b"HTTP/1.1 abc Text",
    b"101 OK",
    b"",
    b"HTTP/1.1 +101 Plus",
)


def _mutate_headers(
    rng: random.Random, line: bytes, headers: Headers, changes: list[str], *, is_request: bool
) -> tuple[bytes, Headers]:
    """Change one to three things in the start line and the headers."""
    headers = list(headers)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.randrange(12)
        at = rng.randrange(len(headers)) if headers else 0
        if kind == 0 and headers:
            changes.append(f"without {headers.pop(at)[0].decode('latin-1')}")
        elif kind == 1 and headers:
            headers.insert(rng.randrange(len(headers) + 1), headers[at])
            changes.append(f"{headers[at][0].decode('latin-1')} twice")
        elif kind in (2, 3, 4, 5) and headers:
            name = headers[at][0]
            if name in _VALUES:
                headers[at] = (name, rng.choice(_VALUES[name]))
                changes.append(f"{name.decode('latin-1')}: {headers[at][1][:40]!r}")
        elif kind in (6, 7):
            names = [name for name in _VALUES if is_request or name != b"Host"]
            name = rng.choice(names)
            headers.insert(rng.randrange(len(headers) + 1), (name, rng.choice(_VALUES[name])))
            changes.append(f"further {name.decode('latin-1')}")
        elif kind == 8 and headers:
            name, value = headers[at]
            byte = bytes([rng.choice((0, 9, 10, 11, 13, 32, 34, 44, 58, 59, 127, 160, 233, 255))])
            where = rng.randrange(len(value) + 1)
            headers[at] = (name, value[:where] + byte + value[where:])
            changes.append(f"{byte!r} in {name.decode('latin-1')}")
        elif kind == 9 and headers:
            name, value = headers[at]
            headers[at] = (rng.choice((name.lower(), name.upper(), name.swapcase())), value)
        elif kind == 10 and headers:
            name, value = headers[at]
            bad = rng.choice((name + b" ", b" " + name, name + b"\t", b"", b"\xe9" + name, b"(x)"))
            headers[at] = (bad, value)
            changes.append(f"name {bad!r}")
        elif kind == 11:
            line = _mutate_line(rng, line, is_request)
            changes.append(f"line {line[:60]!r}")
    return line, headers


def _mutate_line(rng: random.Random, line: bytes, is_request: bool) -> bytes:
    if not is_request:
        return rng.choice(_STATUSES)
    method, target, version = [*line.split(b" "), b"", b""][:3]
    kind = rng.randrange(4)
    if kind == 0:
        method = rng.choice(_METHODS)
    elif kind == 1:
        target = rng.choice(_TARGETS)
    elif kind == 2:
        version = rng.choice(_VERSIONS)
    else:
        return rng.choice((b"", b"GET", b"GET /", b"\x16\x03\x01\x02", line + b" x", b" " + line))
    return b" ".join((method, target, version))


def _head(rng: random.Random, line: bytes, headers: Headers, changes: list[str] | None) -> bytes:
    """Write a head; with changes, perhaps one that is written in another way."""
    end, separator, begin, last = b"\r\n", b": ", b"", b"\r\n"
    if changes is not None:
        kind = rng.randrange(9)
        if kind == 0:
            end = last = b"\n"
            changes.append("line feeds only")
        elif kind == 1:
            separator = rng.choice((b":", b":  ", b" : ", b":\t", b"=", b"", b":\x0b", b":\xa0"))
            changes.append(f"separator {separator!r}")
        elif kind == 2:
            begin = b"\r\n" * rng.choice((1, 2, 30))
            changes.append("blank lines in front")
        elif kind == 3 and headers:
            at = rng.randrange(len(headers))
            name, value = headers[at]
            headers = [*headers[:at], (name, value + b"\r\n folded"), *headers[at + 1 :]]
            changes.append(f"folded {name.decode('latin-1')}")
        elif kind == 4:
            more = rng.choice((90, 130, 300))
            headers = headers + [(b"X-Many", b"%d" % number) for number in range(more)]
            changes.append(f"{more} headers more")
        elif kind == 5:
            last = rng.choice((b"", b"\r", b"\n", b"\r\n\r\n", b" \r\n", b"\r\r\n"))
            changes.append(f"ends with {last!r}")
        elif kind == 6:
            end = b"\r"
            changes.append("carriage returns only")
        elif kind == 7 and headers:
            at = rng.randrange(len(headers))
            headers = [*headers[:at], (headers[at][0], b"x" * rng.choice((7000, 8200, 20000)))]
            changes.append("very long value")
    lines = [line, *(name + separator + value for name, value in headers)]
    return begin + b"".join(each + end for each in lines) + last


def _mutate_bytes(rng: random.Random, data: bytes, changes: list[str], what: str) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        kind, at = rng.randrange(4), rng.randrange(len(changed) + 1)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed.insert(at, rng.randrange(256))
        elif kind == 2 and at < len(changed):
            del changed[at : at + rng.choice((1, 1, 5))]
        elif kind == 3:
            changed[at:at] = changed[max(0, at - rng.randrange(1, 20)) : at]
    changes.append(f"bytes of the {what}")
    return bytes(changed)


# -- frames


@dataclass
class Frame:
    """One frame, with all that can be wrong about it."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = True
    form: int = 0  # 0, or how many bytes the length takes although fewer would do
    claims: int | None = None  # another length than that of the payload

    def encode(self, rng: random.Random) -> bytes:
        """Write it."""
        size = len(self.payload) if self.claims is None else self.claims
        mask = 0x80 if self.masked else 0
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        if size < 126 and not self.form:
            head = struct.pack("!BB", first, mask | size)
        elif size < 1 << 16 and self.form < 8:
            head = struct.pack("!BBH", first, mask | 126, size)
        else:
            head = struct.pack("!BBQ", first, mask | 127, size)
        if not self.masked:
            return head + self.payload
        key = rng.randbytes(4)
        length = len(self.payload)
        pattern = int.from_bytes((key * (length // 4 + 1))[:length], "big")
        masked = (int.from_bytes(self.payload, "big") ^ pattern).to_bytes(length, "big")
        return head + key + masked


_TEXTS = (b"", b"a", b"hello world " * 10, "Grüße 日本語 👍".encode(), b"x" * 125, b"y" * 126)
_BAD_TEXTS = (b"\xff", b"a\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe2\x82", b"\xc0\xaf")
_SIZES = (0, 1, 2, 7, 124, 125, 126, 127, 500, 1000, 65535, 65536, 65537, 70000)
_CODES = (*range(998, 1018), 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535, 0)


def _frames(
    rng: random.Random, changes: list[str], mutate: bool, *, masked: bool, deflated: bool
) -> bytes:
    """Make up to six messages, control frames in between, mostly with a CLOSE at the end."""
    frames: list[Frame] = []
    compressor = zlib.compressobj(wbits=-9) if rng.random() < 0.5 and deflated else None
    for _ in range(rng.choice((0, 1, 2, 2, 3, 6))):
        if rng.random() < 0.25:
            frames.append(Frame(rng.choice((9, 10)), rng.randbytes(rng.choice((0, 4, 125)))))
        frames += _message(rng, compressor)
    if rng.random() < 0.6:
        code = struct.pack("!H", rng.choice((1000, 1001, 3000, 4000)))
        frames.append(Frame(8, rng.choice((b"", code, code + b"bye", code + "ü".encode()))))
    for each in frames:
        each.masked = masked
    if mutate:
        for _ in range(rng.choice((1, 1, 2))):
            _mutate_frames(rng, frames, changes)
    data = b"".join(each.encode(rng) for each in frames)
    if mutate and data and rng.random() < 0.1:
        data = _mutate_bytes(rng, data, changes, "frames")
    if mutate and data and rng.random() < 0.1:
        data = data[: rng.randrange(len(data))]
        changes.append("frames end early")
    return data


def _message(rng: random.Random, compressor) -> list[Frame]:
    is_text = rng.random() < 0.5
    size = rng.choice(_SIZES[:-4] if rng.random() < 0.9 else _SIZES)
    payload = rng.choice(_TEXTS) if is_text else rng.randbytes(size)
    rsv = 0
    if compressor is not None and rng.random() < 0.8:
        flushed = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        payload, rsv = flushed[:-4], 4
    if rng.random() < 0.7:
        return [Frame(1 if is_text else 2, payload, rsv=rsv)]
    ends = sorted(rng.randrange(len(payload) + 1) for _ in range(rng.randrange(1, 4)))
    parts = [payload[a:b] for a, b in zip([0, *ends], [*ends, len(payload)], strict=True)]
    frames = [Frame(0, part, fin=False) for part in parts]
    frames[0].opcode, frames[0].rsv = (1 if is_text else 2), rsv
    frames[-1].fin = True
    if rng.random() < 0.3:
        frames.insert(1, Frame(9, b"between"))
    return frames


def _mutate_frames(rng: random.Random, frames: list[Frame], changes: list[str]) -> None:
    if not frames:
        frames.append(Frame(2, b"", masked=True))
    at = rng.randrange(len(frames))
    chosen = frames[at]
    mutation = rng.choice(_MUTATIONS)
    changes.append(f"frame {at}: {mutation.__name__.strip('_').replace('_', ' ')}")
    mutation(rng, frames, at, chosen)


Mutation = Callable[[random.Random, list[Frame], int, Frame], None]


def _other_opcode(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.opcode = rng.randrange(16)


def _reserved_bits(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.rsv = rng.randrange(1, 8)


def _other_fin(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.fin = not frame.fin


def _other_masking(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.masked = not frame.masked


def _long_length(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.form = rng.choice((2, 8))


def _false_length(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    size = len(frame.payload)
    frame.claims = rng.choice(
        (size + 1, max(0, size - 1), 1 << 63, (1 << 64) - 1, 1 << 40, 1 << 17)
    )


def _bad_text(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.payload = rng.choice(_TEXTS) + rng.choice(_BAD_TEXTS) + rng.choice(_TEXTS)
    if frame.opcode == 2:
        frame.opcode = 1


def _large(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frame.payload = bytes(rng.choice((65536, 65537, 100_000)))


def _bad_close(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    body = struct.pack("!H", rng.choice(_CODES)) + rng.choice((b"", b"why", b"\xff", b"r" * 123))
    frames.insert(at, Frame(8, rng.choice((body, body, body[:1])), masked=frame.masked))


def _twice(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    frames.insert(at, frame)


def _dropped(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    del frames[at]


def _swapped(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    other = rng.randrange(len(frames))
    frames[at], frames[other] = frames[other], frame


def _corrupted(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    if frame.payload:
        changed = bytearray(frame.payload)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        frame.payload = bytes(changed)


def _long_control(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    payload = bytes(rng.choice((125, 126, 200)))
    frames.insert(at, Frame(rng.choice((9, 10)), payload, masked=frame.masked))


def _bomb(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    compressor = zlib.compressobj(wbits=-9)
    size = rng.choice((65536, 65537, 1 << 20))
    flushed = compressor.compress(bytes(size)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    frames.insert(at, Frame(2, flushed[:-4], rsv=4, masked=frame.masked))


def _final_block(rng: random.Random, frames: list[Frame], at: int, frame: Frame) -> None:
    """Return a message of several deflate streams: a final block, and what follows it."""
    compressor = zlib.compressobj(wbits=-9)
    first = compressor.compress(b"abc") + compressor.flush(zlib.Z_FINISH)
    compressor = zlib.compressobj(wbits=-9)
    second = compressor.compress(b"def") + compressor.flush(zlib.Z_SYNC_FLUSH)
    payload = rng.choice((first, first + second[:-4], first + b"\x00", first + b"garbage"))
    frames.insert(at, Frame(2, payload, rsv=4, masked=frame.masked))


_MUTATIONS: tuple[Mutation, ...] = (
    _other_opcode,
    _reserved_bits,
    _other_fin,
    _other_masking,
    _long_length,
    _false_length,
    _bad_text,
    _large,
    _bad_close,
    _twice,
    _dropped,
    _swapped,
    _corrupted,
    _long_control,
    _bomb,
    _final_block,
)
