"""Reading the heads of the opening handshake's HTTP/1.1 messages, fed as they arrive.

The syntax is checked by llhttp (the package httptools), which calls the `on_...` methods here. What
llhttp leaves to its user is checked here: sizes, counts, and where a message ends. Nothing here
knows WebSocket or does I/O.
"""

import re
from http import HTTPStatus

import httptools
from multidict import CIMultiDict

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_ExceptionMatches, PyErr_Fetch, PyErr_NormalizeException
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeLatin1

from .http import HTTPSyntaxError, WSUpgradeRequest, WSUpgradeResponse

cdef extern from "Python.h":
    PyObject* PyObject_CallMethodOneArg(object owner, object name, object argument)
    void Py_DECREF(PyObject* object)
    void Py_XDECREF(PyObject* object)

from .raising cimport raise_pending

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

cdef object _METHOD = re.compile(rb"([A-Za-z]+)(?: |$)")
_OTHER_VERSION = re.compile(rb"\S+ \S+ (HTTP/(?!1\.[01])\d\.\d)")
cdef dict _VERSIONS = {"1.1": b"HTTP/1.1"}


cdef class HeadReader:
    """What requests and responses share: feeding llhttp, bounded."""

    def __cinit__(self):
        self._received = bytearray()
        self._headers = CIMultiDict()

    @property
    def head(self):
        """The bytes of the head so far, without the empty lines around it."""
        cdef bytes found = bytes(self._received).lstrip(b"\r\n")
        cdef Py_ssize_t end = found.find(b"\r\n\r\n") if self._headers_complete else -1
        return found if end < 0 else found[:end]

    cdef object _feed_head(self, bytes data):
        """Give llhttp more bytes; how many of them came before the upgrade, or None."""
        cdef object consumed = None
        if not self._headers_complete:
            self._received += data
        try:
            consumed = _feed_llhttp(self._parser, data)
        except httptools.HttpParserCallbackError as exc:
            raise exc.__context__ or exc from None
        if len(self._received) > _max_head_size and len(self.head) > _max_head_size:
            raise HTTPSyntaxError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"head over {MAX_HEAD_SIZE} bytes"
            )
        return consumed

    def on_header(self, bytes name, bytes value):
        """One header field was read."""
        cdef const char* start = PyBytes_AS_STRING(value)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(value)
        if self._done:
            return
        if PyBytes_GET_SIZE(name) + size > _max_line_size:
            raise _too_large(f"header field over {MAX_LINE_SIZE} bytes")
        if self._header_count == _max_headers:
            raise _too_large(f"more than {MAX_HEADERS} header fields")
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

    cdef object _end(self, object message, Py_ssize_t consumed):
        """The last word; without the parser, since the two would keep each other alive."""
        self._parser = None
        return message, consumed

    cdef bytes _version(self):
        cdef str version = self._parser.get_http_version()
        return _VERSIONS.get(version) or f"HTTP/{version}".encode()


@cython.final
cdef class RequestReader(HeadReader):
    """Reads one request head, however it is cut."""

    def __cinit__(self):
        self._target = b""
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, bytes data not None):
        """Read on.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if the head is not complete; otherwise the `WSUpgradeRequest`, and how many bytes
            of `data` belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or over a limit.
        """
        try:
            consumed = self._feed_head(data)
        except httptools.HttpParserInvalidMethodError:
            if method := _METHOD.match(self.head):
                raise HTTPSyntaxError(
                    HTTPStatus.METHOD_NOT_ALLOWED, f"method {method[1]!r}"
                ) from None
            raise HTTPSyntaxError(HTTPStatus.BAD_REQUEST, "not an HTTP request") from None
        except httptools.HttpParserError as exc:
            if self._parser.get_method() == b"PRI":  # HTTP/2 with prior knowledge
                raise HTTPSyntaxError(HTTPStatus.METHOD_NOT_ALLOWED, "method b'PRI'") from None
            if version := _OTHER_VERSION.match(self.head):
                raise HTTPSyntaxError(
                    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, f"version {version[1]!r}"
                ) from None
            raise HTTPSyntaxError(HTTPStatus.BAD_REQUEST, str(exc)) from None
        if not self._headers_complete:
            return None
        request = WSUpgradeRequest(
            self._parser.get_method(), self._target, self._version(), self._headers
        )
        return self._end(request, len(data) if consumed is None else consumed)

    def on_url(self, bytes url):
        """A part of the request target was read."""
        if self._done:
            return
        self._target += url
        if len(self._target) > _max_target_size:
            raise HTTPSyntaxError(
                HTTPStatus.REQUEST_URI_TOO_LONG, f"request target over {MAX_TARGET_SIZE} bytes"
            )

    def on_headers_complete(self):
        """The head is complete."""
        self._headers_complete = self._done = True


@cython.final
cdef class ResponseReader(HeadReader):
    """Reads one response: the head of a 101, or the whole of any other."""

    def __cinit__(self):
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, bytes data not None):
        """Read on.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if the response is not complete; otherwise the `WSUpgradeResponse`, and how many
            bytes of `data` belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or over a limit.
        """
        try:
            consumed = self._feed_head(data)
        except httptools.HttpParserError as exc:
            if self._headers_complete and self._parser.get_status_code() == 101:
                return self._end(self._response(), len(data))  # without the fields of an upgrade
            raise HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, str(exc)) from None
        if consumed is not None:
            return self._end(self._response(), consumed)
        return self._end(self._response(), len(data)) if self._done else None

    def end(self):
        """The response that ends with the connection, or None if its head is not complete."""
        return self._response() if self._headers_complete else None

    cdef object _response(self):
        cdef int status = self._parser.get_status_code()
        known = _SWITCHING if status == 101 else _registered(status)
        body = bytes(self._body) if self._body else None
        return WSUpgradeResponse(self._version(), known, self._headers, body)

    def on_headers_complete(self):
        """The head is complete."""
        self._headers_complete = True

    def on_body(self, bytes body):
        """A part of the body was read."""
        if self._done:
            return
        self._body += body
        if len(self._body) > _max_body_size:
            raise HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, f"body over {MAX_BODY_SIZE} bytes")

    def on_message_complete(self):
        """The message is complete."""
        cdef int status = self._parser.get_status_code()
        if status < 200 and status != 101:
            # An interim response (RFC 9110, 15.2): the one that counts follows.
            self._headers = CIMultiDict()
            self._header_count = 0
            self._headers_complete = False
        else:
            self._done = True


cdef object _feed_llhttp(object parser, bytes data):
    """Give llhttp bytes; how many of them came before an upgrade, or None if there is none.

    An upgrade is an exception to httptools. It is not raised here, because a traceback would cost
    more than all the reading.
    """
    cdef PyObject* done = PyObject_CallMethodOneArg(parser, "feed_data", data)
    cdef PyObject* kind
    cdef PyObject* exc
    cdef PyObject* traceback
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
    """A status code as a member of `http.HTTPStatus`, if it is one."""
    try:
        return HTTPStatus(status)
    except ValueError:
        return status


cdef object _too_large(str text):
    return HTTPSyntaxError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text)


cdef bint _is_blank(char byte) noexcept nogil:
    return byte == c" " or byte == c"\t"
