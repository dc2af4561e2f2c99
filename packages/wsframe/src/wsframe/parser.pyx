# cython: annotation_typing=False
"""The stream parser (RFC 6455, section 5): bytes in, frames out, on libwsframe.

Received data is copied once, into a buffer that the parser owns; frames are unmasked and checked
there. No I/O, no clock, and no asyncio.
"""

from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memmove, memset

import cython

from wsframe cimport cwsframe as c
from wsframe.errors cimport frame_error

from wsframe.opcode import Opcode
from wsframe.role import Role

__all__ = ["Frame", "FrameParser"]


cdef size_t FIRST_CAPACITY = 16 * 1024
# An empty buffer larger than this is freed rather than kept for the next burst.
cdef size_t KEPT_CAPACITY = 256 * 1024

# Opcode members by number, so that a frame need not look them up.
cdef list OPCODES = [None] * 16
for _opcode in Opcode:
    OPCODES[_opcode] = _opcode


@cython.final
cdef class _Buffer:
    """Received bytes. They must not be moved or overwritten while anything refers to them."""

    cdef uint8_t *start
    cdef size_t capacity
    cdef Py_ssize_t pins      # frames and memoryviews that refer to it
    cdef size_t free_from     # start of a memoryview of the free part

    def __cinit__(self, size_t capacity):
        self.start = <uint8_t *>PyMem_Malloc(capacity)
        if self.start == NULL:
            raise MemoryError
        self.capacity = capacity

    def __dealloc__(self):
        PyMem_Free(self.start)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.start + self.free_from,
                          <Py_ssize_t>(self.capacity - self.free_from), 0, flags)
        self.pins += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.pins -= 1


# It cannot be part of a reference cycle, and the collector must not clear it early.
@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Frame:
    """One frame, or with `streaming` one piece of a frame. Created only by `FrameParser`.

    It supports the buffer protocol: `bytes(frame)` and `memoryview(frame)` return the payload.
    """

    cdef object data         # bytes, or None if the payload is not copied
    cdef _Buffer buffer      # keeps the payload's memory alive if data is None
    cdef const uint8_t *start
    cdef c.wsf_frame info

    def __cinit__(self):
        self.start = NULL

    def __init__(self, *args, **kwargs):
        raise TypeError("a Frame can only be created by FrameParser")

    def __dealloc__(self):
        if self.buffer is not None:
            self.buffer.pins -= 1

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, <void *>self.start, self.info.payload_size, 1, flags)

    def __bytes__(self):
        return PyBytes_FromStringAndSize(
            <char *>self.start, <Py_ssize_t>self.info.payload_size
        )

    def __len__(self):
        return <Py_ssize_t>self.info.payload_size

    def __repr__(self):
        kind = self.opcode.name
        fin = "" if self.info.fin else ", fin=False"
        rsv = f", rsv={self.info.rsv}" if self.info.rsv else ""
        return f"<Frame {kind}{fin}{rsv}, {self.info.payload_size} bytes>"

    @property
    def opcode(self) -> Opcode:
        """The type of this frame, as on the wire."""
        return OPCODES[self.info.opcode]

    @property
    def message_opcode(self) -> Opcode:
        """For a CONTINUATION frame the opcode of the message it continues, else `opcode`."""
        return OPCODES[self.info.message_opcode]

    @property
    def payload(self) -> bytes | memoryview:
        """The unmasked payload: bytes, or a read-only view if the parser has `views` set."""
        return PyMemoryView_FromObject(self) if self.data is None else self.data

    @property
    def text(self) -> str:
        """The payload decoded as UTF-8. Raises if a fragment ends inside a character."""
        return PyUnicode_DecodeUTF8(
            <char *>self.start, <Py_ssize_t>self.info.payload_size, NULL
        )

    @property
    def fin(self) -> bool:
        """Whether this is the last frame of its message."""
        return self.info.fin != 0

    @property
    def rsv(self) -> int:
        """The reserved bits of this frame: 4 for RSV1, 2 for RSV2, 1 for RSV3."""
        return self.info.rsv

    @property
    def message_rsv(self) -> int:
        """For a CONTINUATION frame the reserved bits of its message's first frame, else `rsv`."""
        return self.info.message_rsv

    @property
    def first(self) -> bool:
        """Whether this is the first piece of its frame."""
        return self.info.first != 0

    @property
    def last(self) -> bool:
        """Whether this is the last piece of its frame."""
        return self.info.last != 0

    @property
    def offset(self) -> int:
        """The position of this piece in the frame's payload, in bytes."""
        return self.info.offset

    @property
    def frame_size(self) -> int:
        """Payload bytes in the whole frame."""
        return self.info.frame_size

    @property
    def close_code(self) -> int | None:
        """The code of a CLOSE frame, 1005 if it has none; `None` for other frames."""
        return self.info.close_code if self.info.opcode == c.WSF_OP_CLOSE else None

    @property
    def close_reason(self) -> str | None:
        """The reason of a CLOSE frame, possibly empty; `None` for other frames."""
        if self.info.opcode != c.WSF_OP_CLOSE:
            return None
        if self.info.payload_size <= 2:
            return ""
        return PyUnicode_DecodeUTF8(
            <char *>self.start + 2, <Py_ssize_t>self.info.payload_size - 2, NULL
        )


cdef int check_range(str name, object value, object greatest) except -1:
    if not 0 <= value <= greatest:
        raise ValueError(f"{name} must be from 0 to {greatest}, not {value}")
    return 0


@cython.final
cdef class FrameParser:
    """Parses a stream of bytes into frames: feed it, then iterate.

    Iteration ends when more bytes are needed, and can continue after the next `feed`. After a CLOSE
    frame all further bytes are ignored. After an error each further step raises it again.

    Args:
        role: our endpoint. A server expects masked frames, a client unmasked ones.
        streaming: deliver data frames in pieces as they arrive, instead of whole.
        views: payloads are read-only memoryviews of the parser's buffer instead of bytes. They
            stay valid for as long as they are kept; meanwhile the parser uses a new buffer.
        rsv_allowed: reserved bits negotiated for the first frame of a message.
        rsv_continuation: reserved bits negotiated for its further frames.
        check_utf8: whether text must be UTF-8, unless its message has RSV1.
        max_frame_size: payload bytes allowed in a data frame; 0 for no limit.
        max_message_size: payload bytes allowed in a message; 0 for no limit.
        max_fragments: frames allowed in a message; 0 for no limit.

    Raises:
        ValueError: an argument is out of range.
    """

    cdef c.wsf_parser parser
    cdef c.wsf_frame current
    cdef _Buffer buffer
    cdef size_t begin
    cdef size_t end
    cdef bint views

    def __cinit__(self, *args, **kwargs):
        # If __init__ is not called, the parser has a buffer, and fails at the first step.
        cdef c.wsf_parser_config config
        memset(&config, 0xff, sizeof(config))
        c.wsf_parser_init(&self.parser, &config)
        self.buffer = _Buffer(0)

    def __init__(
        self, role: Role, *, streaming: bool = False, views: bool = False,
        rsv_allowed: int = 0, rsv_continuation: int = 0, check_utf8: bool = True,
        max_frame_size: int = 0, max_message_size: int = 1024 * 1024, max_fragments: int = 0,
    ):
        cdef c.wsf_parser_config config
        config.role = <uint8_t>(c.WSF_ROLE_CLIENT if Role(role) is Role.CLIENT
                                else c.WSF_ROLE_SERVER)
        config.mode = <uint8_t>(c.WSF_MODE_STREAM if streaming else c.WSF_MODE_WHOLE)
        check_range("rsv_allowed", rsv_allowed, 7)
        check_range("rsv_continuation", rsv_continuation, 7)
        check_range("max_frame_size", max_frame_size, (1 << 63) - 1)
        check_range("max_message_size", max_message_size, (1 << 63) - 1)
        check_range("max_fragments", max_fragments, (1 << 32) - 1)
        config.rsv_allowed = rsv_allowed
        config.rsv_continuation = rsv_continuation
        config.check_utf8 = bool(check_utf8)
        config.max_frame_size = max_frame_size
        config.max_message_size = max_message_size
        config.max_fragments = max_fragments
        c.wsf_parser_init(&self.parser, &config)
        self.views = views
        self.buffer = _Buffer(FIRST_CAPACITY)
        self.begin = 0
        self.end = 0

    # -- input

    def feed(self, data, /) -> FrameParser:
        """Process received bytes.

        Args:
            data: any bytes-like object; it is copied.

        Returns:
            The parser itself, so that ``for frame in parser.feed(data)`` works.

        Raises:
            TypeError: `data` is not bytes-like.
        """
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self.reserve(<size_t>view.len)
                memcpy(self.buffer.start + self.end, view.buf, <size_t>view.len)
                self.end += <size_t>view.len
        finally:
            PyBuffer_Release(&view)
        return self

    def get_buffer(self, size: int, /) -> memoryview:
        """Return memory to receive into without a copy, for `socket.recv_into` and the like.

        Args:
            size: minimum number of bytes, at least one.

        Returns:
            A writable view of `size` bytes or more. Release or drop it after `buffer_updated`.

        Raises:
            ValueError: `size` is less than one.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self.reserve(size)
        self.buffer.free_from = self.end
        return PyMemoryView_FromObject(self.buffer)

    def buffer_updated(self, size: int, /) -> FrameParser:
        """Process bytes that were received into the view of the last `get_buffer`.

        Args:
            size: how many bytes were written at its start.

        Returns:
            The parser itself, to iterate over.

        Raises:
            ValueError: `size` is negative or exceeds the view.
        """
        if size < 0 or <size_t>size > self.buffer.capacity - self.end:
            room = self.buffer.capacity - self.end
            raise ValueError(f"size must be from 0 to the {room} bytes of the buffer, not {size}")
        self.end += <size_t>size
        return self

    # -- state

    @property
    def missing(self) -> int:
        """The number of missing payload bytes of the current frame; 0 between frames."""
        return c.wsf_parser_missing(&self.parser)

    @property
    def payload_size(self) -> int:
        """The payload size of the current frame, in bytes; 0 between frames."""
        return c.wsf_parser_payload_size(&self.parser)

    @property
    def closed(self) -> bool:
        """Whether a CLOSE frame was received, so that all further bytes are ignored."""
        return c.wsf_parser_closed(&self.parser)

    @property
    def failed(self) -> bool:
        """Whether there was an error in the stream, so that iteration only raises."""
        return c.wsf_parser_error(&self.parser) != 0

    # -- output

    def __iter__(self):
        return self

    def __next__(self):
        cdef size_t consumed = 0
        cdef int result = c.wsf_parser_next(
            &self.parser, self.buffer.start + self.begin, self.end - self.begin, &consumed,
            &self.current,
        )
        self.begin += consumed
        if result == c.WSF_FRAME:
            return self.make_frame()
        if result < 0:
            raise frame_error(result, c.wsf_parser_error_offset(&self.parser))
        self.forget()
        raise StopIteration

    # -- private

    cdef Frame make_frame(self):
        cdef Frame frame = Frame.__new__(Frame)
        cdef Py_ssize_t size = <Py_ssize_t>self.current.payload_size
        frame.info = self.current
        # A piece held inside the C parser is overwritten later, so it is copied even with `views`.
        if self.views and self.owns(self.current.payload):
            frame.data = None
            frame.buffer = self.buffer
            frame.start = self.current.payload
            self.buffer.pins += 1
        else:
            frame.data = PyBytes_FromStringAndSize(<char *>self.current.payload, size)
            frame.start = <const uint8_t *><char *>(<bytes>frame.data)
        return frame

    cdef bint owns(self, const uint8_t *payload):
        return self.buffer.start <= payload <= self.buffer.start + self.end

    cdef int forget(self) except -1:
        """Reuse the memory from its start, if everything is parsed and nothing refers to it."""
        if self.begin == self.end and self.buffer.pins == 0:
            self.begin = 0
            self.end = 0
            if self.buffer.capacity > KEPT_CAPACITY:
                self.buffer = _Buffer(FIRST_CAPACITY)
        return 0

    cdef int reserve(self, size_t size) except -1:
        """Make room for `size` more bytes after `end`; keep unparsed bytes contiguous."""
        cdef size_t left = self.end - self.begin
        cdef _Buffer old = self.buffer
        if old.capacity - self.end >= size:
            return 0
        if old.pins == 0 and old.capacity - left >= size and self.begin >= left:
            memmove(old.start, old.start + self.begin, left)
        else:
            # Doubled, not set to the size that a peer announces, which may be arbitrarily large.
            self.buffer = _Buffer(max(FIRST_CAPACITY, 2 * left, left + size))
            memcpy(self.buffer.start, old.start + self.begin, left)
        self.begin = 0
        self.end = left
        return 0
