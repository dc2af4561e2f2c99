"""A receiver of WebSocket frames in plain Python, written from RFC 6455 as directly as possible.

It is compared with libwsframe's parser. It gets the whole stream at once, keeps no state between
calls, and must not import wsframe.
"""

from dataclasses import dataclass, field

CONTROL = {8, 9, 10}
# If some bytes begin a character, one of these completes it; otherwise no character begins so.
COMPLETIONS = [fill * count for fill in (b"\x80", b"\xbf") for count in (1, 2, 3)]
OPCODES = {0, 1, 2} | CONTROL


@dataclass
class Config:
    """The configuration of the receiver; 0 means no limit."""

    server: bool
    rsv_allowed: int = 0
    rsv_continuation: int = 0
    check_utf8: bool = True
    max_frame_size: int = 0
    max_message_size: int = 0
    max_fragments: int = 0


@dataclass
class Message:
    """The current message: its first frame, its size and frames so far, and whether it is text.

    `pending` holds the bytes of a character that is not complete.
    """

    opcode: int
    rsv: int
    size: int = 0
    frames: int = 0
    is_text: bool = False
    pending: bytes = b""


@dataclass
class Result:
    """Frames as (opcode, fin, rsv, payload), then possibly an error and its position in the stream.

    `in_header` is true if the stream ends inside a header.
    """

    frames: list[tuple[int, bool, int, bytes]] = field(default_factory=list)
    fault: str | None = None
    offset: int = 0
    in_header: bool = False


class FaultError(Exception):
    """An error of the peer: its name and position."""

    def __init__(self, name: str, offset: int) -> None:
        super().__init__(name, offset)
        self.name = name
        self.offset = offset


def close_fault(payload: bytes) -> str | None:
    """Check the payload of a CLOSE frame (5.5.1, 7.4)."""
    if len(payload) == 1:
        return "CLOSE_SIZE"
    if payload:
        code = int.from_bytes(payload[:2], "big")
        if code not in {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}:
            return "CLOSE_CODE"
        if not decodes(payload[2:]):
            return "CLOSE_UTF8"
    return None


def decodes(text: bytes) -> bool:
    """Return whether a text is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def check_text(message: Message, payload: bytes, at: int, end: bool) -> None:
    """Check text byte by byte, so that the first byte that cannot be completed is found (8.1)."""
    for i, byte in enumerate(payload):
        message.pending += bytes([byte])
        if decodes(message.pending):
            message.pending = b""
        elif not any(decodes(message.pending + rest) for rest in COMPLETIONS):
            raise FaultError("UTF8", at + i)
    if end and message.pending:
        raise FaultError("UTF8", at + len(payload))


def receive(stream: bytes, config: Config) -> Result:
    """Read a stream from its start to its end, or to its first error."""
    result = Result()
    try:
        read_frames(stream, config, result)
    except FaultError as fault:
        result.fault, result.offset = fault.name, fault.offset
    return result


def read_frames(stream: bytes, config: Config, result: Result) -> None:
    """Append frames to the result until the stream ends, is closed, or has an error."""
    at = 0
    message: Message | None = None
    while len(stream) - at >= 2:
        fin, rsv, opcode = stream[at] >> 7, stream[at] >> 4 & 7, stream[at] & 15
        masked, size = stream[at + 1] >> 7, stream[at + 1] & 127
        if opcode not in OPCODES:
            raise FaultError("OPCODE", at)
        if opcode in CONTROL and not fin:
            raise FaultError("CONTROL_FRAGMENTED", at)
        if opcode in CONTROL and size > 125:
            raise FaultError("CONTROL_TOO_LONG", at)
        extended = {126: 2, 127: 8}.get(size, 0)
        header = 2 + extended + 4 * masked
        if len(stream) - at < header:
            break
        if extended:
            size = int.from_bytes(stream[at + 2 : at + 2 + extended], "big")
            if size >> 63:
                raise FaultError("LENGTH_TOP_BIT", at)
            if size < (126 if extended == 2 else 65536):
                raise FaultError("LENGTH_NOT_SHORTEST", at)
        if masked != config.server:
            raise FaultError("MASKED" if masked else "NOT_MASKED", at)
        if opcode in CONTROL:
            if rsv:
                raise FaultError("RESERVED_BITS", at)
        else:
            message = check_data_header(config, message, opcode, rsv, size, at)
        body = at + header
        payload = stream[body : body + size]
        if masked:
            key = stream[body - 4 : body]
            payload = bytes(b ^ key[i % 4] for i, b in enumerate(payload))
        complete = len(payload) == size
        if opcode not in CONTROL and message and message.is_text:
            check_text(message, payload, body, complete and bool(fin))
        if not complete:
            return
        if opcode == 8 and (fault := close_fault(payload)):
            raise FaultError(fault, body)
        result.frames.append((opcode, bool(fin), rsv, payload))
        if opcode == 8:
            return  # whatever follows is ignored (5.5.1)
        if opcode not in CONTROL and fin:
            message = None
        at = body + size
    result.in_header = at < len(stream)


def check_data_header(
    config: Config, message: Message | None, opcode: int, rsv: int, size: int, at: int
) -> Message:
    """Check a data frame against its message (5.4) and the limits."""
    if rsv & ~(config.rsv_allowed if opcode else config.rsv_continuation):
        raise FaultError("RESERVED_BITS", at)
    if opcode:
        if message:
            raise FaultError("INSIDE_MESSAGE", at)
        message = Message(opcode, rsv)
        message.is_text = config.check_utf8 and opcode == 1 and not rsv & 4
    elif not message:
        raise FaultError("NO_MESSAGE", at)
    message.size += size
    message.frames += 1
    if config.max_frame_size and size > config.max_frame_size:
        raise FaultError("FRAME_TOO_BIG", at)
    if config.max_message_size and message.size > config.max_message_size:
        raise FaultError("MESSAGE_TOO_BIG", at)
    if config.max_fragments and message.frames > config.max_fragments:
        raise FaultError("TOO_MANY_FRAGMENTS", at)
    return message
