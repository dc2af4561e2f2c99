"""WebSocket framing (RFC 6455) without I/O: frames, masking, UTF-8 and close codes, on libwsframe.

It only processes bytes: no sockets, no clocks, no asyncio, no handshake.
"""

from wsframe.close import close_code_is_valid, decode_close, encode_close
from wsframe.close_code import CloseCode
from wsframe.exceptions import (
    FrameError,
    InternalError,
    InvalidDataError,
    ProtocolError,
    TooBigError,
)
from wsframe.mask import apply_mask, mask_variant
from wsframe.opcode import Opcode
from wsframe.parser import Frame, FrameParser
from wsframe.paths import get_cmake_dir, get_include, get_library, get_pkgconfig_dir
from wsframe.role import Role
from wsframe.utf8 import Utf8Validator
from wsframe.writer import FrameWriter, build_frame, make_mask_key

__all__ = [
    "CloseCode",
    "Frame",
    "FrameError",
    "FrameParser",
    "FrameWriter",
    "InternalError",
    "InvalidDataError",
    "Opcode",
    "ProtocolError",
    "Role",
    "TooBigError",
    "Utf8Validator",
    "apply_mask",
    "build_frame",
    "close_code_is_valid",
    "decode_close",
    "encode_close",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_pkgconfig_dir",
    "make_mask_key",
    "mask_variant",
]

__version__ = "0.1.0"
