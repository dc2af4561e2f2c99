"""The opening handshake in both roles (RFC 6455, 4): what the HTTP messages must contain.

Sans-I/O: bytes go in, messages and errors come out. The order of the server's checks is syntax and
limits, then method and version, then (after the listener factory has seen the request) what an
upgrade needs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from multidict import CIMultiDict

from .deflate import EXTENSION, WSDeflate, WSDeflateParameters
from .errors import (
    WSInvalidHeaderError,
    WSInvalidMessageError,
    WSInvalidStatusError,
    WSInvalidUpgradeError,
)
from .extensions import Extension, parse_extensions
from .http import (
    TOKEN,
    HTTPSyntaxError,
    WSHeadersLike,
    WSUpgradeRequest,
    WSUpgradeResponse,
)
from .http_reader import RequestReader, ResponseReader
from .url import WSParsedURL

__all__ = [
    "ClientHandshake",
    "RefusedRequestError",
    "ServerHandshake",
    "accept_key",
    "reserved_bits",
]

EXTENSIONS_FIELD = "Sec-WebSocket-Extensions"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class RefusedRequestError(Exception):
    """A request that gets an error response.

    Args:
        status: the response's status.
        text: what is wrong with the request; it becomes the response's body.
        headers: further header fields of the response.
    """

    def __init__(
        self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}

    def response(self) -> WSUpgradeResponse:
        """The response to send."""
        return WSUpgradeResponse.create_error_response(
            self.status, str(self).encode("utf-8", "backslashreplace"), self.headers
        )


def reserved_bits(response: WSUpgradeResponse, agreed: WSDeflateParameters | None) -> int:
    """The reserved bits that extensions of the user's may set in any frame.

    Args:
        response: the one that grants the upgrade.
        agreed: what was agreed on of permessage-deflate, which has the first bit for itself.
    """
    if EXTENSIONS_FIELD not in response.headers:
        return 0
    if agreed is None:
        return 7
    return 3 if _extension_names(response.headers) > {EXTENSION} else 0


def accept_key(key: str) -> str:
    """The value of ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key`` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


class ServerHandshake:
    """A server's side of one opening handshake."""

    def __init__(self) -> None:
        self._reader = RequestReader()

    def feed(self, data: bytes) -> tuple[WSUpgradeRequest, int] | None:
        """Read the request, as far as it does not have to be one for an upgrade.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if it is not complete; otherwise the request, and how many bytes of `data` belong
            to it.

        Raises:
            RefusedRequestError: if it is malformed, over a limit, not a GET, not HTTP/1.1, has a
                body, or does not have exactly one ``Host``.
        """
        try:
            result = self._reader.feed(data)
        except HTTPSyntaxError as exc:
            raise RefusedRequestError(exc.status, str(exc), _allow(exc.status)) from None
        if result is not None:
            _check_request(result[0])
        return result

    def accept(
        self,
        request: WSUpgradeRequest,
        response: WSUpgradeResponse,
        deflate: WSDeflate | None = None,
    ) -> WSDeflateParameters | None:
        """Check that the request asks for an upgrade, and complete the response that grants it.

        Args:
            request: what `feed` returned.
            response: a response with status 101; the fields that RFC 6455 needs are added.
            deflate: what this side accepts of permessage-deflate; None for none of it. If the
                response already has an answer to the offer it must be the one that this gives.

        Returns:
            What was agreed on of permessage-deflate; None if it was not.

        Raises:
            RefusedRequestError: if the request does not ask for an upgrade to WebSocket version
                13, has no valid key, or has a malformed list.
        """
        key = _check_upgrade(request)
        offered = _check_extensions(request)
        response.headers["Upgrade"] = "websocket"
        response.headers["Connection"] = "Upgrade"
        response.headers["Sec-WebSocket-Accept"] = accept_key(key)
        if deflate is None:
            return None
        accepted = deflate.answer(item.parameters for item in offered if item.name == EXTENSION)
        if accepted is None:
            return None
        if EXTENSION in _extension_names(response.headers):
            answered = accepted[0] in _list(response.headers, EXTENSIONS_FIELD)
            return accepted[1] if answered else None
        _append(response.headers, accepted[0])
        return accepted[1]


class ClientHandshake:
    """A client's side of one opening handshake.

    Args:
        url: where to.
        extra_headers: further header fields of the request; ``Host`` replaces the generated one.
        deflate: what to offer of permessage-deflate, behind extensions among the extra headers;
            None for nothing.

    Attributes:
        request: the request.
        request_bytes: the request as it goes over the wire.
        agreed: what was agreed on of permessage-deflate, when the response was read; None if it was
            not.

    Raises:
        ValueError: if a header field cannot be sent.
    """

    def __init__(
        self,
        url: WSParsedURL,
        extra_headers: WSHeadersLike | None = None,
        deflate: WSDeflate | None = None,
    ) -> None:
        self._reader = ResponseReader()
        self._deflate = deflate
        self.agreed: WSDeflateParameters | None = None
        self._key = binascii.b2a_base64(os.urandom(16), newline=False).decode("ascii")
        headers: CIMultiDict[str] = CIMultiDict(
            {
                "Host": url.host_header,
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": self._key,
            }
        )
        for name, value in _pairs(extra_headers):
            if name.lower() == "host":
                headers[name] = value
            else:
                headers.add(name, value)
        if url.user_info and "Authorization" not in headers:
            credentials = ":".join(url.user_info).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode('ascii')}"
        if deflate is not None:
            _append(headers, deflate.offer())
        self.request = WSUpgradeRequest(b"GET", url.resource_name.encode(), b"HTTP/1.1", headers)
        self.request_bytes = self.request.to_bytes()

    def feed(self, data: bytes) -> tuple[WSUpgradeResponse, int] | None:
        """Read the response.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if it is not complete; otherwise the response, which grants the upgrade, and how
            many bytes of `data` belong to it.

        Raises:
            WSInvalidMessageError: if it is not HTTP or is over a limit.
            WSInvalidStatusError: if its status is not 101.
            WSInvalidUpgradeError: if ``Upgrade`` or ``Connection`` is wrong.
            WSInvalidHeaderError: if another field is wrong.
        """
        try:
            result = self._reader.feed(data)
        except HTTPSyntaxError as exc:
            raise WSInvalidMessageError(
                f"the server's answer is not a valid HTTP response: {exc}",
                raw_header=self._reader.head,
            ) from None
        if result is not None:
            self._check_response(result[0])
        return result

    def end(self) -> None:
        """The connection ended before the response was complete.

        Raises:
            WSInvalidMessageError: if there was no complete head; its cause is an `EOFError`.
            WSInvalidStatusError: if there was one, and what followed it ended with the connection.
        """
        response = self._reader.end()
        if response is not None:
            self._check_response(response)
        raise WSInvalidMessageError(
            "the server closed the connection before its answer to the handshake was complete",
            raw_header=self._reader.head,
        ) from EOFError("the connection ended within the answer to the handshake")

    def _check_response(self, response: WSUpgradeResponse) -> None:
        headers = response.headers
        if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            raise WSInvalidStatusError(
                f"the server answered with status {response.status:d}, not 101",
                self._reader.head,
                response.body,
                response,
            )
        if response.version != b"HTTP/1.1":
            raise WSInvalidMessageError(
                f"the server speaks {response.version!r}", self._reader.head
            )
        if [value.lower() for value in _list(headers, "Upgrade")] != ["websocket"]:
            raise self._wrong(response, "Upgrade", "it must be websocket", WSInvalidUpgradeError)
        if not _names(headers, "Connection", "upgrade"):
            raise self._wrong(response, "Connection", "it must name Upgrade", WSInvalidUpgradeError)
        if headers.getall("Sec-WebSocket-Accept", []) != [accept_key(self._key)]:
            raise self._wrong(response, "Sec-WebSocket-Accept", "it does not answer our key")
        if _has_body(headers):
            name = "Transfer-Encoding" if "Transfer-Encoding" in headers else "Content-Length"
            raise self._wrong(response, name, "a 101 response has no body")
        self._check_protocol(response)
        self._check_extensions(response)

    def _check_protocol(self, response: WSUpgradeResponse) -> None:
        """The server may choose one of what was offered (RFC 6455, 4.1)."""
        chosen = response.headers.getall("Sec-WebSocket-Protocol", None)
        if chosen is None:
            return
        if len(chosen) > 1 or chosen[0] not in _list(
            self.request.headers, "Sec-WebSocket-Protocol"
        ):
            raise self._wrong(response, "Sec-WebSocket-Protocol", "it was not offered")

    def _check_extensions(self, response: WSUpgradeResponse) -> None:
        """Only what was offered, and permessage-deflate only as it was offered and once."""
        values = response.headers.getall(EXTENSIONS_FIELD, None)
        if values is None:
            return
        offered = _extension_names(self.request.headers)
        try:
            for name, parameters in parse_extensions(values):
                if name not in offered:
                    raise ValueError(f"{name} was not offered")
                if name == EXTENSION and self._deflate is not None:
                    if self.agreed is not None:
                        raise ValueError(f"{name} is there twice")
                    self.agreed = self._deflate.confirm(parameters)
        except ValueError as exc:
            raise self._wrong(response, EXTENSIONS_FIELD, str(exc)) from None

    def _wrong(
        self,
        response: WSUpgradeResponse,
        name: str,
        why: str,
        kind: type[WSInvalidHeaderError] = WSInvalidHeaderError,
    ) -> WSInvalidHeaderError:
        value = response.headers.get(name)
        head = self._reader.head
        return kind(f"{name}: {value!r}: {why}", name, value, head, response.body, response)


def _check_request(request: WSUpgradeRequest) -> None:
    if request.method != b"GET":
        status = HTTPStatus.METHOD_NOT_ALLOWED
        raise RefusedRequestError(status, f"method {request.method!r}", _allow(status))
    if request.version != b"HTTP/1.1":
        raise RefusedRequestError(
            HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, f"version {request.version!r}"
        )
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1:
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"{len(hosts)} Host fields, not one")
    if _has_body(request.headers):
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "the request has a body")


def _check_upgrade(request: WSUpgradeRequest) -> str:
    """Check what an upgrade needs (RFC 6455, 4.2.1); the request's key."""
    headers = request.headers
    if not _names(headers, "Upgrade", "websocket"):
        raise _upgrade_required(
            f"Upgrade: {headers.get('Upgrade')!r}: this is a WebSocket endpoint"
        )
    if not _names(headers, "Connection", "upgrade"):
        raise _upgrade_required(
            f"Connection: {headers.get('Connection')!r}: it does not name Upgrade"
        )
    if headers.getall("Sec-WebSocket-Version", None) != ["13"]:
        raise _upgrade_required(
            f"Sec-WebSocket-Version: {headers.get('Sec-WebSocket-Version')!r}: it must be 13",
            {"Sec-WebSocket-Version": "13"},
        )
    _check_protocols(headers)
    keys = headers.getall("Sec-WebSocket-Key", [])
    if len(keys) != 1 or not _is_key(keys[0]):
        raise RefusedRequestError(
            HTTPStatus.BAD_REQUEST,
            f"Sec-WebSocket-Key: {keys!r}: it must be one, of 16 bytes in base64",
        )
    return keys[0]


def _upgrade_required(text: str, headers: Mapping[str, str] | None = None) -> RefusedRequestError:
    """What a request gets that lacks something which every upgrade needs."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return RefusedRequestError(HTTPStatus.UPGRADE_REQUIRED, text, upgrade | dict(headers or {}))


def _check_protocols(headers: CIMultiDict[str]) -> None:
    """A comma list of tokens (RFC 6455, 11.3.4)."""
    for value in headers.getall("Sec-WebSocket-Protocol", []):
        if not all(TOKEN.fullmatch(item.strip()) for item in value.split(",")):
            raise RefusedRequestError(
                HTTPStatus.BAD_REQUEST, f"Sec-WebSocket-Protocol: {value!r} is malformed"
            )


def _check_extensions(request: WSUpgradeRequest) -> list[Extension]:
    """The extensions that are offered."""
    if EXTENSIONS_FIELD not in request.headers:
        return []
    values = request.headers.getall(EXTENSIONS_FIELD)
    try:
        return parse_extensions(values)
    except ValueError:
        raise RefusedRequestError(
            HTTPStatus.BAD_REQUEST, f"{EXTENSIONS_FIELD}: {values!r} is malformed"
        ) from None


def _is_key(key: str) -> bool:
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:  # `binascii.Error`, or it is not ASCII
        return False


def _has_body(headers: CIMultiDict[str]) -> bool:
    if "Content-Length" in headers and set(headers.getall("Content-Length")) != {"0"}:
        return True
    return "Transfer-Encoding" in headers


def _names(headers: CIMultiDict[str], name: str, wanted: str) -> bool:
    """Whether an item of a comma list is a certain word, in any letter case."""
    if name not in headers:
        return False
    return headers[name].lower() == wanted or wanted in (
        item.lower() for item in _list(headers, name)
    )


def _list(headers: CIMultiDict[str], name: str) -> list[str]:
    """The items of a comma list that may be spread over several fields."""
    values = headers.getall(name, [])
    return [item for value in values for part in value.split(",") if (item := part.strip())]


def _extension_names(headers: CIMultiDict[str]) -> set[str]:
    """The names of the extensions in a message of this side, which need not be well-formed."""
    return {item.partition(";")[0].strip() for item in _list(headers, EXTENSIONS_FIELD)}


def _append(headers: CIMultiDict[str], extension: str) -> None:
    """Put an extension behind those that are there, in one field."""
    headers[EXTENSIONS_FIELD] = ", ".join([*headers.getall(EXTENSIONS_FIELD, []), extension])


def _allow(status: HTTPStatus) -> Mapping[str, str]:
    return {"Allow": "GET"} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}


def _pairs(headers: WSHeadersLike | None) -> Iterable[tuple[str, str]]:
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers
