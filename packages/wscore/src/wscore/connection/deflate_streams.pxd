# Compressing and inflating the messages of one connection.

from ..loop.idle_memory cimport MemoryHolder


cdef class Inflater(MemoryHolder):
    cdef object _loop
    cdef object _settings
    cdef object _make  # makes an inflater
    cdef object _error  # the exception that it raises
    cdef object _stream  # None before the first message, and while idle
    cdef bytes _packed_window  # of the stream that was released while idle, or None
    cdef size_t _window_size  # bytes inflated by the stream; it may exceed the window
    cdef int _window_bits
    cdef bint _keeps_context
    cdef unsigned long long _max_message  # bytes, inflated
    cdef unsigned long long _max_frame
    cdef unsigned long long _inflated  # of the current message, so far
    cdef bint _has_input  # the current message is not empty
    cdef int _ends

    cdef bytes inflate(self, const char *data, Py_ssize_t size, bint fin)
    cdef size_t _room(self) noexcept
    cdef int _need_stream(self) except -1
    cdef bytes _run(self, bytes packed, size_t room, bint fin)
    cdef bytes _run_on(self, bytes inflated, size_t room, bint fin)


cdef class Deflater(MemoryHolder):
    cdef object _loop
    cdef object _settings
    cdef object _key
    cdef object _make  # makes a compressor; None until one is needed
    cdef object _make_small  # makes one for a small message by itself
    cdef object _stream  # None until it is needed, and while it is idle
    cdef int _window_bits
    cdef bint _keeps_context

    cdef bint wants(self, object message, bint fin, object compress) except -1
    cdef object key(self)
    cdef bytes deflate(self, object data, bint fin)
    cdef bytes deflate_alone(self, object data, bint fin)
    cdef int forget(self) except -1
