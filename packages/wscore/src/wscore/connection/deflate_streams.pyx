"""Compressing and inflating messages (RFC 7692, 7.2), in as little memory as possible.

Nothing is allocated before the first message. While a connection is idle it keeps neither a
compressor, which can begin anew at any time, nor an inflater: of that it keeps the window,
compressed. A compressor without context takeover is shared by all connections of a loop with the
same settings. An inflater is never shared: one peer's messages could refer to another's. Inflating
never produces more than the limits and one byte.

Distances reach back to the beginning of the deflate stream (RFC 1951, 3.2.3), so not beyond a block
that is marked as the last. A peer that sends one has ended its compressor, and browsers drop the
context there, too.
"""

import weakref
import zlib

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

from ..enums cimport MESSAGE_TOO_BIG, PROTOCOL_ERROR

from ..handshake.deflate import MAX_BITS, SMALL_SIZE
from ..errors import WSProtocolError

cdef enum:
    TAIL_SIZE = 4  # bytes at the end of every flushed message, which are not sent (7.2.1)
    MIN_BITS = 9  # some zlibs that promise 8 refer back as far as 9 allow
    MAX_ENDS = 128  # blocks marked as the last in one message; each costs a new inflater
    LONGEST = 258  # bytes of one reference (RFC 1951, 3.2.5)

cdef bytes TAIL = b"\x00\x00\xff\xff"

_shared = weakref.WeakKeyDictionary()  # by loop: a dict of compressors by their keys

cdef class Inflater(MemoryHolder):
    """Inflates the messages of one peer.

    Args:
        loop: the connection's.
        settings: a `WSDeflate`.
        window_bits: how far back the peer refers, as a power of two.
        keeps_context: whether it refers to earlier messages.
        max_message: bytes of an inflated message; 0 for no limit.
        max_frame: bytes of what one frame is inflated to; 0 for no limit.
    """

    def __cinit__(self, loop, settings, int window_bits, bint keeps_context,
                  unsigned long long max_message, unsigned long long max_frame):
        self._loop = loop
        self._settings = settings
        self._make, self._error = settings.inflater()
        self._window_bits = max(window_bits, <int>MIN_BITS)
        self._keeps_context = keeps_context
        self._max_message = max_message
        self._max_frame = max_frame

    cdef bytes inflate(self, const char *data, Py_ssize_t size, bint fin):
        """Inflate the payload of a frame, or a piece of one.

        Raises:
            WSProtocolError: if it is corrupt, or over a limit.
        """
        cdef bytes packed, result
        cdef size_t room = self._room()
        self.was_used = True
        self._has_input = self._has_input or size > 0
        if not self._has_input:
            return b""  # an empty payload, instead of the one byte of an empty block
        packed = PyBytes_FromStringAndSize(NULL, size + (TAIL_SIZE if fin else 0))
        memcpy(PyBytes_AS_STRING(packed), data, size)
        if fin:
            memcpy(PyBytes_AS_STRING(packed) + size, PyBytes_AS_STRING(TAIL), TAIL_SIZE)
        try:
            result = self._run(packed, room, fin)
        except self._error as exc:
            raise WSProtocolError(PROTOCOL_ERROR, "decompression failed") from exc
        self._inflated += PyBytes_GET_SIZE(result)
        if fin:
            self._inflated = 0
            self._ends = 0
            self._has_input = False
            if not self._keeps_context:
                self._stream = None
        return result

    cdef size_t _room(self) noexcept:
        """Return how many bytes the next piece may be inflated to."""
        cdef unsigned long long room = (<size_t>-1) >> 2
        if self._max_frame:
            room = min(room, self._max_frame)
        if self._max_message:
            room = min(room, self._max_message - self._inflated)
        return room

    cdef int _need_stream(self) except -1:
        """Make an inflater, with the window of earlier messages if there is one."""
        cdef bytes window
        if self._packed_window is None:
            self._window_size = 0
            self._stream = self._make(-self._window_bits)
        else:
            window = zlib.decompress(self._packed_window, -MAX_BITS)
            self._stream = self._make(-self._window_bits, zdict=window)
            self._packed_window = None
        return self.hold(self._loop) if self._keeps_context else 0

    cdef bytes _run(self, bytes packed, size_t room, bint fin):
        cdef bytes result
        if self._stream is None:
            if not packed or (fin and packed == TAIL):
                return b""  # after a last block, the tail would be taken for another block
            self._need_stream()
        result = self._stream.decompress(packed, room + 1)
        self._window_size += PyBytes_GET_SIZE(result)
        if self._stream.eof:
            result = self._run_on(result, room, fin)
        if <size_t>PyBytes_GET_SIZE(result) > room:
            raise WSProtocolError(MESSAGE_TOO_BIG, "the inflated message is too big")
        return result

    cdef bytes _run_on(self, bytes inflated, size_t room, bint fin):
        """Continue after a block that is marked as the last (7.2.3.4), with another inflater."""
        cdef bytes rest, result
        while self._stream.eof and <size_t>PyBytes_GET_SIZE(inflated) <= room:
            self._ends += 1
            if self._ends > MAX_ENDS:
                raise WSProtocolError(PROTOCOL_ERROR, "decompression failed")
            rest = self._stream.unused_data
            self._stream = None
            if not rest or (fin and rest == TAIL):
                break
            self._need_stream()
            result = self._stream.decompress(rest, room + 1 - PyBytes_GET_SIZE(inflated))
            self._window_size += PyBytes_GET_SIZE(result)
            inflated += result
        return inflated

    cdef bint release(self) except -1:
        """Keep only the window, compressed, unless a message is incomplete."""
        cdef size_t size
        cdef bytes window
        if self._has_input:
            return False
        if self._stream is not None:
            size = min(self._window_size, <size_t>1 << self._window_bits)
            if size:
                window = self._stream.decompress(all_again(size))[:size]
                stream = self._settings.compressor(MAX_BITS).make()
                self._packed_window = stream.compress(window) + stream.flush(zlib.Z_FINISH)
            self._stream = None
        return True


cdef bytes all_again(size_t distance):
    """Return a deflate block that repeats the last `distance` bytes, and up to 257 bytes more.

    It serves to read an inflater's window, for which the engines have no function: references of
    length 258 at that distance, with the fixed codes of RFC 1951, 3.2.6. Numbers begin with their
    lowest bit, codes with their highest.
    """
    cdef int extra_bits = max((distance - 1).bit_length() - 2, 0)
    cdef int code = ((distance - 1) >> extra_bits) + 2 * extra_bits
    cdef int width = 8 + 5 + extra_bits
    cdef int i
    cdef Py_ssize_t count = (distance + LONGEST - 1) // LONGEST
    reference = 0b10100011 | ((distance - 1) & ((1 << extra_bits) - 1)) << 13
    for i in range(5):
        reference |= <object>((code >> i) & 1) << (12 - i)
    references = reference * (((<object>1 << (count * width)) - 1) // ((<object>1 << width) - 1))
    return (references << 3 | 0b010).to_bytes((count * width + 3 + 7) // 8 + 1, "little")


cdef class Deflater(MemoryHolder):
    """Compresses the messages of one connection.

    Args:
        loop: the connection's.
        settings: a `WSDeflate`.
        window_bits: how far back it may refer, as a power of two.
        keeps_context: whether messages may refer to earlier ones.
    """

    def __cinit__(self, loop, settings, int window_bits, bint keeps_context):
        self._loop = loop
        self._settings = settings
        self._window_bits = window_bits
        self._keeps_context = keeps_context

    cdef bint wants(self, object message, bint fin, object compress) except -1:
        """Return whether to compress a message; if not `fin`, this is its first fragment."""
        if compress is not None:
            return compress
        if not fin:
            return True
        if message is None:
            return False
        return _size(message) >= self._settings.min_size

    cdef object key(self):
        """Return a key that is equal for connections with the same result of `deflate_alone`."""
        if self._make is None:
            self._key, self._make, self._make_small = self._settings.compressor(self._window_bits)
        return self._key

    cdef bytes deflate(self, object data, bint fin):
        """Compress a message, or the next fragment of one.

        Args:
            data: any contiguous buffer, or None for none.
            fin: whether it ends the message.
        """
        if not self._keeps_context:
            return self.deflate_alone(data, fin)
        self.was_used = True
        if self._stream is None:
            self.key()
            self._stream = self._make()
            self.hold(self._loop)
        try:
            return _flushed(self._stream, data, fin, zlib.Z_SYNC_FLUSH)
        except BaseException:
            self._stream = None
            raise

    cdef bytes deflate_alone(self, object data, bint fin):
        """Do the same without references to earlier messages.

        After a full flush isal finds no repeats in the next 288 bytes, so small messages get a
        compressor each. For larger ones the memory of a new one may be expensive: up to 40 pages
        that the C library has given back to the system.
        """
        cdef dict streams
        key = self.key()
        if _size(data) <= SMALL_SIZE:
            return _flushed(self._make_small(), data, fin, zlib.Z_SYNC_FLUSH)
        streams = _shared.setdefault(self._loop, {})
        stream = streams.pop(key, None) or self._make()
        data = _flushed(stream, data, fin, zlib.Z_FULL_FLUSH)
        streams[key] = stream
        return data

    cdef int forget(self) except -1:
        """Drop the stream: the connection sends a message that was compressed elsewhere.

        Later messages then refer to nothing before it, so their distances stay true.
        """
        self._stream = None
        return 0

    cdef bint release(self) except -1:
        """Begin anew with the next message, as every compressor may at any time."""
        self._stream = None
        return True


cdef Py_ssize_t _size(object data) except -1:
    """Return the bytes of a buffer; 0 for None."""
    if data is None:
        return 0
    return len(data) if isinstance(data, bytes) else memoryview(data).nbytes


cdef bytes _flushed(object stream, object data, bint fin, object how):
    """Compress and flush; an empty message becomes an empty block (7.2.3.6)."""
    cdef bytes first = stream.compress(b"" if data is None else data)
    cdef bytes rest = stream.flush(how)
    if first:
        rest = first + rest
    return rest[:-TAIL_SIZE] if fin else rest
