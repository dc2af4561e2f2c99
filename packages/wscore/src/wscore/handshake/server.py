"""The server side of the opening handshake (RFC 6455, 4.2): the requirements on a request.

Sans-I/O: bytes go in, requests and errors come out. The order of the checks: syntax and limits;
then, unless the listener factory answers the request itself, method, version, ``Host`` and body;
then the fields of an upgrade.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from http import HTTPStatus

from multidict import CIMultiDict

from .deflate import EXTENSION, WSDeflate, WSDeflateParameters
from .extensions import Extension, parse_extensions
from .fields import (
    EXTENSIONS_FIELD,
    accept_key,
    append_extension,
    extension_names,
    has_body,
    has_item,
    has_malformed_list,
    items_of,
)
from .http import HTTPSyntaxError, WSUpgradeRequest, WSUpgradeResponse
from .http_reader import RequestReader

__all__ = ["RefusedRequestError", "ServerHandshake"]


class RefusedRequestError(Exception):
    """A request that gets an error response.

    Args:
        status: the response's status.
        text: what is wrong with the request; it becomes the body of the response.
        headers: further header fields of the response.
    """

    def __init__(
        self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}

    def response(self) -> WSUpgradeResponse:
        """Return the response to send."""
        return WSUpgradeResponse.create_error_response(
            self.status, str(self).encode("utf-8", "backslashreplace"), self.headers
        )


class ServerHandshake:
    """The server side of one opening handshake."""

    def __init__(self) -> None:
        self._reader = RequestReader()

    def feed(self, data: bytes) -> tuple[WSUpgradeRequest, int] | None:
        """Read a request; it need not ask for an upgrade.

        Args:
            data: the bytes received since the last call.

        Returns:
            None if the request is incomplete; otherwise the request, and how many bytes of `data`
            belong to it. A body is not read and not counted.

        Raises:
            RefusedRequestError: if it is malformed or exceeds a limit.
        """
        try:
            return self._reader.feed(data)
        except HTTPSyntaxError as exc:
            raise RefusedRequestError(exc.status, str(exc)) from None

    def check(self, request: WSUpgradeRequest) -> None:
        """Check a request that the listener factory has not answered itself.

        Args:
            request: the request that `feed` returned.

        Raises:
            RefusedRequestError: if it is not a GET, not HTTP/1.1, does not have exactly one
                ``Host``, or has a body.
        """
        if request.method != b"GET":
            raise RefusedRequestError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"method {request.method!r}", {"Allow": "GET"}
            )
        if request.version != b"HTTP/1.1":
            raise RefusedRequestError(
                HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, f"version {request.version!r}"
            )
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"{len(hosts)} Host fields, not one")
        if has_body(request.headers):
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "the request has a body")

    def accept(
        self,
        request: WSUpgradeRequest,
        response: WSUpgradeResponse,
        deflate: WSDeflate | None = None,
    ) -> WSDeflateParameters | None:
        """Check that the request asks for an upgrade, and complete the response that accepts it.

        Args:
            request: a request that has passed `check`.
            response: a response with status 101; the fields that RFC 6455 requires are added.
            deflate: the settings of permessage-deflate that this side accepts; None to decline it.
                If the response already accepts the offer it must do so with the same parameters.

        Returns:
            The negotiated parameters of permessage-deflate, or None.

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
        if EXTENSION in extension_names(response.headers):
            answered = accepted[0] in items_of(response.headers, EXTENSIONS_FIELD)
            return accepted[1] if answered else None
        append_extension(response.headers, accepted[0])
        return accepted[1]


def _check_upgrade(request: WSUpgradeRequest) -> str:
    """Check the fields of an upgrade (RFC 6455, 4.2.1); return the request's key."""
    headers = request.headers
    if not has_item(headers, "Upgrade", "websocket"):
        raise _upgrade_required(
            f"Upgrade: {headers.get('Upgrade')!r}: this is a WebSocket endpoint"
        )
    if not has_item(headers, "Connection", "upgrade"):
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
    """Return the error for a request without a field that every upgrade needs."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return RefusedRequestError(HTTPStatus.UPGRADE_REQUIRED, text, upgrade | dict(headers or {}))


def _check_protocols(headers: CIMultiDict[str]) -> None:
    """Check that the subprotocols are a comma list of tokens (RFC 6455, 11.3.4)."""
    if has_malformed_list(headers, "Sec-WebSocket-Protocol"):
        values = headers.getall("Sec-WebSocket-Protocol")
        raise RefusedRequestError(
            HTTPStatus.BAD_REQUEST, f"Sec-WebSocket-Protocol: {values!r} is malformed"
        )


def _check_extensions(request: WSUpgradeRequest) -> list[Extension]:
    """Return the offered extensions."""
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
    except ValueError:  # `binascii.Error`, or the key is not ASCII
        return False
