"""Incremental parsers of the HTTP/1.1 messages of the opening handshake.

llhttp (the package httptools) checks the syntax and calls the `on_...` methods here. This module
adds what llhttp leaves to its user: limits of sizes and counts, and the end of a message. It also
parses request lines that llhttp rejects because it does not know the method or the version. It
must not know WebSocket, nor do I/O.

However the input is split, parsing takes time linear in its size.
"""

import re
from http import HTTPStatus

import httptools
from multidict import CIMultiDict

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_ExceptionMatches, PyErr_Fetch, PyErr_NormalizeException
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeLatin1

from .http import HTTPSyntaxError, WSUpgradeRequest, WSUpgradeResponse
from .token import CHARACTER

cdef extern from "Python.h":
    PyObject *PyObject_CallMethodOneArg(object owner, object name, object argument)
    void Py_DECREF(PyObject *object)
    void Py_XDECREF(PyObject *object)

from ..loop.raising cimport raise_pending

__all__ = [
    "MAX_BODY_SIZE",
    "MAX_HEADERS",
    "MAX_HEAD_SIZE",
    "MAX_LINE_SIZE",
    "MAX_TARGET_SIZE",
    "RequestReader",
    "ResponseReader",
]

MAX_TARGET_SIZE = 8192  # bytes
MAX_LINE_SIZE = 8192  # bytes of one header field, name and value
MAX_HEADERS = 128
MAX_HEAD_SIZE = 65536  # bytes, from the first line to the empty one
MAX_BODY_SIZE = 1048576  # bytes of a response that is kept for the exception

cdef Py_ssize_t _max_target_size = MAX_TARGET_SIZE
cdef Py_ssize_t _max_line_size = MAX_LINE_SIZE
cdef Py_ssize_t _max_headers = MAX_HEADERS
cdef Py_ssize_t _max_head_size = MAX_HEAD_SIZE
cdef Py_ssize_t _max_body_size = MAX_BODY_SIZE

# A request line (RFC 9112, 3), and the beginning of an incomplete one.
cdef str _METHOD = CHARACTER + "{1,64}"
cdef object _REQUEST_LINE = re.compile(
    rf"({_METHOD}) ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])\r\n".encode()
)
cdef object _BEGINNING = re.compile(
    rf"{_METHOD}( ([\x21-\x7e]+( [HTP/0-9.]*\r?)?)?)?".encode()
)
cdef dict _VERSIONS = {"1.1": b"HTTP/1.1"}


cdef class HeadReader:
    """Base class of both readers: feeds llhttp, within limits."""

    def __cinit__(self):
        self._received = bytearray()
        self._headers = CIMultiDict()

    @property
    def head(self):
        """The bytes of the head so far, without the empty lines around it."""
        cdef Py_ssize_t end
        self._drop_interim()
        end = self._received.find(b"\r\n\r\n") if self._headers_complete else -1
        return bytes(self._received if end < 0 else self._received[:end])

    cdef object _feed_head(self, bytes data):
        """Feed llhttp; return how many bytes of `data` precede the upgrade, or None."""
        cdef Py_ssize_t before = len(self._received)
        cdef Py_ssize_t skipped = self._size_of_empty_lines(data) if before == 0 else 0
        cdef object end = None
        self._ahead += skipped
        self._received += data[skipped:]
        self._check_start()
        if self._received and self._is_due(data):
            try:
                end = self._feed_received(data)
            except httptools.HttpParserCallbackError as exc:
                raise self._taken(exc) from None
        self._drop_interim()
        self._check_start()
        self._check_size()
        return None if end is None else end - before + skipped

    cdef Py_ssize_t _size_of_empty_lines(self, bytes data):
        """Return the size of the empty lines that data begins with, even between CR and LF."""
        cdef const char *start = PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = 0
        while size < PyBytes_GET_SIZE(data):
            if start[size] != (c"\n" if self._awaits_lf else c"\r"):
                break
            self._awaits_lf = not self._awaits_lf
            size += 1
        return size

    cdef int _check_start(self) except -1:
        """Reject a bare CR or LF before the head, which llhttp would skip."""
        if self._received and (self._awaits_lf or self._received[0] == c"\n"):
            raise HTTPSyntaxError(HTTPStatus.BAD_REQUEST, "a bare CR or LF ahead of the first line")
        return 0

    cdef bint _is_due(self, bytes data):
        """Return whether to feed llhttp now.

        llhttp copies the beginning of a line with each further piece of it. To keep that linear, an
        incomplete line is fed only when it has doubled in size.
        """
        return b"\n" in data or len(self._received) - self._fed >= self._line_size

    cdef object _feed_received(self, bytes data):
        """Feed llhttp the rest of `_received`; return where in it an upgrade begins, or None."""
        cdef Py_ssize_t begin = self._fed, size = len(self._received) - begin, last
        cdef bytes piece = data  # nearly always this is all
        if size != PyBytes_GET_SIZE(data):
            piece = PyBytes_FromStringAndSize(
                PyByteArray_AS_STRING(self._received) + begin, size
            )
        self._fed += size
        last = piece.rfind(b"\n")
        self._line_size = self._line_size + size if last < 0 else size - 1 - last
        consumed = _feed_llhttp(self._parser, piece)
        return None if consumed is None else begin + consumed

    cdef int _drop_interim(self) except -1:
        """Discard the heads of interim responses, but count their size in `_ahead`."""
        cdef Py_ssize_t size
        while self._interim_responses:
            self._interim_responses -= 1
            size = self._received.find(b"\r\n\r\n") + 4
            size += self._size_of_empty_lines(bytes(self._received[size:]))
            del self._received[:size]
            self._ahead += size
            self._fed -= size
        return 0

    cdef int _check_size(self) except -1:
        cdef Py_ssize_t size = len(self._received)
        if self._ahead + size > _max_head_size and self._headers_complete:
            size = self._received.find(b"\r\n\r\n")
        if self._ahead + size > _max_head_size:
            raise _too_large(f"head over {MAX_HEAD_SIZE} bytes, empty lines ahead of it included")
        return 0

    def on_header(self, bytes name not None, bytes value not None):
        """Store a header field, without the white space around its value."""
        cdef const char *start = PyBytes_AS_STRING(value)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(value)
        if self._done:
            return
        if PyBytes_GET_SIZE(name) + size > _max_line_size:
            raise self._noted(_too_large(f"header field over {MAX_LINE_SIZE} bytes"))
        if self._header_count == _max_headers:
            raise self._noted(_too_large(f"more than {MAX_HEADERS} header fields"))
        self._header_count += 1
        while size and _is_blank(start[0]):
            start += 1
            size -= 1
        while size and _is_blank(start[size - 1]):
            size -= 1
        self._headers.add(
            PyUnicode_DecodeLatin1(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), NULL),
            PyUnicode_DecodeLatin1(start, size, NULL),
        )

    cdef object _noted(self, object refusal):
        """Keep the exception that a callback is about to raise, and return it.

        httptools raises an exception of its own instead, with ours as its context, but not if
        another exception is being handled at that time.
        """
        self._refusal = refusal
        return refusal

    cdef object _taken(self, object exc):
        """Return the exception that a callback raised, given the one from httptools."""
        refusal, self._refusal = self._refusal, None
        return refusal or exc.__context__ or exc

    cdef object _end(self, object message, Py_ssize_t consumed):
        """Return the result, and drop the parser: it and this reader form a reference cycle."""
        self._parser = None
        return message, consumed

    cdef bytes _version(self):
        cdef str version = self._parser.get_http_version()
        return _VERSIONS.get(version) or f"HTTP/{version}".encode()


@cython.final
cdef class RequestReader(HeadReader):
    """Parses the head of one request."""

    def __cinit__(self):
        self._target = bytearray()
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, bytes data not None):
        """Parse more bytes.

        Args:
            data: the bytes received since the last call.

        Returns:
            None if the head is incomplete; otherwise the `WSUpgradeRequest`, and how many bytes
            of `data` belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or exceeds a limit.
        """
        try:
            consumed = self._feed_line(data) if self._awaits_line else self._feed_head(data)
        except httptools.HttpParserError as exc:
            # An error after a complete head is not the request's: those bytes are not parsed here.
            consumed = None if self._headers_complete else self._feed_otherwise(data, exc)
        if not self._headers_complete:
            return None
        method, target, version = self._line or (
            self._parser.get_method(), bytes(self._target), self._version()
        )
        if version == b"HTTP/0.9" and not self._names_version():
            raise HTTPSyntaxError(
                HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "a request line without version"
            )
        request = WSUpgradeRequest(method, target, version, self._headers)
        return self._end(request, len(data) if consumed is None else consumed)

    cdef bint _names_version(self) except -1:
        """Return whether the request line has a version; llhttp assumes HTTP/0.9 if not."""
        return b" HTTP/" in self._received[:self._received.find(b"\n")]

    cdef object _feed_otherwise(self, bytes data, object refusal):
        """Parse a request whose method or version llhttp may not know, like `_feed_head`."""
        cdef bint may_be_unknown = self._line is None and self._header_count == 0
        if may_be_unknown and self._received.find(b"\n") >= 0:
            return self._feed_substitute(data, refusal)
        if may_be_unknown and _BEGINNING.fullmatch(self._received):
            self._awaits_line = True
            self._check_size()
            return None
        raise _malformed(refusal)

    cdef object _feed_line(self, bytes data):
        """Continue a request line that llhttp has rejected, like `_feed_head`."""
        self._received += data
        self._check_size()
        if b"\n" not in data:
            return None
        self._awaits_line = False
        return self._feed_substitute(data, None)

    cdef object _feed_substitute(self, bytes data, object refusal):
        """Feed llhttp a request line that it knows, then the received bytes after the real one."""
        cdef Py_ssize_t before = len(self._received) - PyBytes_GET_SIZE(data)
        line = _REQUEST_LINE.match(self._received)
        if line is None:
            raise _malformed(refusal)
        self._line = line.groups()
        self._headers = CIMultiDict()
        self._check_target(len(self._line[1]))
        self._parser = httptools.HttpRequestParser(self)
        self._line_size = 0
        self._fed = line.end()
        _feed_llhttp(self._parser, b"GET / HTTP/1.1\r\n")
        try:
            end = self._feed_received(data)
        except httptools.HttpParserCallbackError as exc:
            raise self._taken(exc) from None
        except httptools.HttpParserError as exc:
            if not self._headers_complete:
                raise _malformed(exc) from None
            end = None
        self._check_size()
        return None if end is None else end - before

    cdef int _check_target(self, Py_ssize_t size) except -1:
        if size > _max_target_size:
            raise self._noted(
                HTTPSyntaxError(
                    HTTPStatus.REQUEST_URI_TOO_LONG, f"request target over {MAX_TARGET_SIZE} bytes"
                )
            )
        return 0

    def on_url(self, bytes url):
        """Append a part of the request target."""
        if not self._done and self._line is None:
            self._target += url
            self._check_target(len(self._target))

    def on_headers_complete(self):
        """Note that the head is complete."""
        self._headers_complete = self._done = True


@cython.final
cdef class ResponseReader(HeadReader):
    """Parses one response: only the head of a 101, all of any other."""

    def __cinit__(self):
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, bytes data not None):
        """Parse more bytes.

        Args:
            data: the bytes received since the last call.

        Returns:
            None if the response is incomplete; otherwise the `WSUpgradeResponse`, and how many
            bytes of `data` belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or exceeds a limit.
        """
        try:
            consumed = self._feed_rest(data) if self._headers_complete else self._feed_head(data)
        except httptools.HttpParserError as exc:
            is_switch = self._headers_complete and self._parser.get_status_code() == 101
            if is_switch or self._done:
                # A 101 without the fields of an upgrade, or bytes after a response without a body.
                return self._end(self._response(), len(data))
            raise HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, str(exc)) from None
        if consumed is not None:
            return self._end(self._response(), consumed)
        return self._end(self._response(), len(data)) if self._done else None

    cdef object _feed_rest(self, bytes data):
        """Feed llhttp bytes after the head, like `_feed_head`.

        Bytes between two pieces of the body are limited: chunk sizes and extensions, and trailers.
        """
        self._since_body += PyBytes_GET_SIZE(data)
        try:
            consumed = _feed_llhttp(self._parser, data)
        except httptools.HttpParserCallbackError as exc:
            raise self._taken(exc) from None
        if self._since_body > _max_line_size:
            raise HTTPSyntaxError(
                HTTPStatus.BAD_GATEWAY, f"over {MAX_LINE_SIZE} bytes between pieces of the body"
            )
        return consumed

    def end(self):
        """Return the response at the end of the connection; None if its head is incomplete."""
        return self._response() if self._headers_complete else None

    cdef object _response(self):
        cdef int status = self._parser.get_status_code()
        known = _SWITCHING if status == 101 else _registered(status)
        body = bytes(self._body) if self._body else None
        return WSUpgradeResponse(self._version(), known, self._headers, body)

    def on_headers_complete(self):
        """Note that the head is complete."""
        self._headers_complete = True

    def on_body(self, bytes body):
        """Append a part of the body, up to the limit."""
        if self._done:
            return
        self._since_body = 0
        self._body += body
        if len(self._body) > _max_body_size:
            raise self._noted(
                HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, f"body over {MAX_BODY_SIZE} bytes")
            )

    def on_message_complete(self):
        """End the response, or start over after an interim one."""
        cdef int status = self._parser.get_status_code()
        if status < 200 and status != 101:
            # An interim response (RFC 9110, 15.2): the final one follows.
            self._headers = CIMultiDict()
            self._header_count = 0
            self._headers_complete = False
            self._interim_responses += 1
        else:
            self._done = True


cdef object _feed_llhttp(object parser, bytes data):
    """Feed llhttp; return how many bytes precede an upgrade, or None without an upgrade.

    httptools raises an exception for an upgrade. It is fetched through the C API, because creating
    its traceback would cost more than all the parsing.
    """
    cdef PyObject *done = PyObject_CallMethodOneArg(parser, "feed_data", data)
    cdef PyObject *kind
    cdef PyObject *exc
    cdef PyObject *traceback
    if done != NULL:
        Py_DECREF(done)
        return None
    if not PyErr_ExceptionMatches(_Upgrade):
        raise_pending()
    PyErr_Fetch(&kind, &exc, &traceback)
    PyErr_NormalizeException(&kind, &exc, &traceback)
    try:
        return (<object>exc).args[0]
    finally:
        Py_DECREF(kind)
        Py_DECREF(exc)
        Py_XDECREF(traceback)


cdef object _Upgrade = httptools.HttpParserUpgrade
cdef object _SWITCHING = HTTPStatus.SWITCHING_PROTOCOLS


cdef object _registered(int status):
    """Return a status code as a member of `http.HTTPStatus` if it is registered."""
    try:
        return HTTPStatus(status)
    except ValueError:
        return status


cdef object _malformed(object refusal):
    """Return the error for a malformed request.

    Args:
        refusal: llhttp's error, or None.
    """
    text = "not an HTTP request"
    if refusal is not None and not isinstance(refusal, httptools.HttpParserInvalidMethodError):
        text = str(refusal)
    return HTTPSyntaxError(HTTPStatus.BAD_REQUEST, text)


cdef object _too_large(str text):
    return HTTPSyntaxError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text)


cdef bint _is_blank(char byte) noexcept nogil:
    return byte == c" " or byte == c"\t"
