"""Converts the errors of wsframe in received bytes into the exceptions of websockets.

The types are always those of websockets. So are the texts, except where wsframe does not keep what
they would quote.
"""

from __future__ import annotations

import wsframe

from .exceptions import PayloadTooBig, ProtocolError
from .frames import LENGTH_NOT_SHORTEST, CloseCode

__all__ = ["parser_exception", "translate", "unexpected_eof"]

#: By wsframe's stable names.
_TEXTS = {
    "OPCODE": "invalid opcode",
    "RESERVED_BITS": "reserved bits must be 0",
    "CONTROL_FRAGMENTED": "fragmented control frame",
    "CONTROL_TOO_LONG": "control frame too long",
    "LENGTH_NOT_SHORTEST": LENGTH_NOT_SHORTEST,
    "NOT_MASKED": "incorrect masking",
    "MASKED": "incorrect masking",
    "NO_MESSAGE": "unexpected continuation frame",
    "INSIDE_MESSAGE": "expected a continuation frame",
    "CLOSE_SIZE": "close frame too short",
    "CLOSE_CODE": "invalid status code",
}


def translate(error: wsframe.FrameError) -> Exception:
    """Return the exception of websockets for an error of wsframe.

    Args:
        error: the exception of a `wsframe.FrameParser` without limits and checks of text.
    """
    if isinstance(error, wsframe.InvalidDataError):
        return UnicodeDecodeError("utf-8", b"\0", 0, 1, "close reason invalid")
    if isinstance(error, wsframe.ProtocolError):
        return ProtocolError(_TEXTS.get(error.name, error.args[0]))
    return error


def parser_exception(code: int, text: str, name: str | None, max_size: int | None) -> Exception:
    """Return the exception of websockets for an error that ended a connection of wscore.

    Args:
        code: the close code.
        text: the message.
        name: wsframe's name for it, or None.
        max_size: bytes that a message or fragment may have; None for no limit.
    """
    if code == CloseCode.INVALID_DATA:
        return UnicodeDecodeError("utf-8", b"\0", 0, 1, text)
    if code == CloseCode.MESSAGE_TOO_BIG:
        return PayloadTooBig(None, max_size)
    return ProtocolError(text if name is None else _TEXTS.get(name, text))


def unexpected_eof(frames: wsframe.FrameParser) -> EOFError:
    """Return the exception for a stream that ends without a CLOSE.

    Args:
        frames: the parser of the stream.
    """
    size = frames.payload_size
    if not size:
        return EOFError("unexpected end of stream")
    return EOFError(f"stream ends after {size - frames.missing} bytes, expected {size} bytes")
