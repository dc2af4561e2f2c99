"""The client side of the opening handshake (RFC 6455, 4.1): request, and checks of the response.

Sans-I/O: bytes go in, responses and errors come out.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from multidict import CIMultiDict

from ..errors import (
    WSInvalidHeaderError,
    WSInvalidMessageError,
    WSInvalidStatusError,
    WSInvalidUpgradeError,
)
from .deflate import EXTENSION, WSDeflate, WSDeflateParameters
from .extensions import parse_extensions
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
from .http import HTTPSyntaxError, WSHeadersLike, WSUpgradeRequest, WSUpgradeResponse
from .http_reader import ResponseReader
from .url import WSParsedURL

__all__ = ["ClientHandshake"]


class ClientHandshake:
    """The client side of one opening handshake.

    Args:
        url: the URL to request.
        extra_headers: further header fields of the request; ``Host`` replaces the generated one.
        deflate: the settings of permessage-deflate to offer, after any extensions in the extra
            headers; None not to offer it.

    Attributes:
        request: the request.
        request_bytes: the request, serialised.
        agreed: the parameters of permessage-deflate that both sides agreed on, once the response
            has been read; None if it was not negotiated.

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
            append_extension(headers, deflate.offer())
        self.request = WSUpgradeRequest(b"GET", url.resource_name.encode(), b"HTTP/1.1", headers)
        self.request_bytes = self.request.to_bytes()

    def feed(self, data: bytes) -> tuple[WSUpgradeResponse, int] | None:
        """Read the response.

        Args:
            data: the bytes received since the last call.

        Returns:
            None if the response is incomplete; otherwise the response, which accepts the upgrade,
            and how many bytes of `data` belong to it.

        Raises:
            WSInvalidMessageError: if it is not valid HTTP or exceeds a limit.
            WSInvalidStatusError: if its status is not 101.
            WSInvalidUpgradeError: if ``Upgrade`` or ``Connection`` is wrong.
            WSInvalidHeaderError: if another field is wrong.
        """
        try:
            result = self._reader.feed(data)
        except HTTPSyntaxError as exc:
            raise WSInvalidMessageError(
                f"the server did not send a valid HTTP response: {exc}",
                raw_header=self._reader.head,
            ) from None
        if result is not None:
            self._check_response(result[0])
        return result

    def end(self) -> None:
        """Handle the end of the connection before `feed` has returned a response.

        Raises:
            WSInvalidMessageError: if the headers were incomplete; its cause is an `EOFError`.
            WSInvalidStatusError: if they were complete, and the body ended with the connection.
        """
        response = self._reader.end()
        if response is not None:
            self._check_response(response)
        raise WSInvalidMessageError(
            "the server closed the connection before its handshake response was complete",
            raw_header=self._reader.head,
        ) from EOFError("the connection ended within the handshake response")

    def _check_response(self, response: WSUpgradeResponse) -> None:
        headers = response.headers
        if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            raise WSInvalidStatusError(
                f"the server responded with status {response.status:d}, not 101",
                self._reader.head,
                response.body or b"",
                response,
            )
        if response.version != b"HTTP/1.1":
            raise WSInvalidMessageError(
                f"unsupported HTTP version: {response.version!r}", self._reader.head
            )
        if [value.lower() for value in items_of(headers, "Upgrade")] != ["websocket"]:
            raise self._wrong(response, "Upgrade", "it must be websocket", WSInvalidUpgradeError)
        name = "Connection"
        is_usual = [value.lower() for value in headers.getall(name, [])] == ["upgrade"]
        if not is_usual and (
            not has_item(headers, name, "upgrade") or has_malformed_list(headers, name)
        ):
            raise self._wrong(response, name, "it must list Upgrade", WSInvalidUpgradeError)
        if headers.getall("Sec-WebSocket-Accept", []) != [accept_key(self._key)]:
            raise self._wrong(response, "Sec-WebSocket-Accept", "it does not match our key")
        if has_body(headers):
            name = "Transfer-Encoding" if "Transfer-Encoding" in headers else "Content-Length"
            raise self._wrong(response, name, "a 101 response must not have a body")
        self._check_protocol(response)
        self._check_extensions(response)

    def _check_protocol(self, response: WSUpgradeResponse) -> None:
        """Check that the server chose at most one of the offered subprotocols (RFC 6455, 4.1)."""
        name = "Sec-WebSocket-Protocol"
        if name not in response.headers:
            return
        chosen = items_of(response.headers, name)
        if len(chosen) != 1 or chosen[0] not in items_of(self.request.headers, name):
            raise self._wrong(response, name, "it was not offered")

    def _check_extensions(self, response: WSUpgradeResponse) -> None:
        """Check that extensions were offered, and permessage-deflate accepted once, as offered."""
        values = response.headers.getall(EXTENSIONS_FIELD, None)
        if values is None:
            return
        offered = extension_names(self.request.headers)
        try:
            for name, parameters in parse_extensions(values):
                if name not in offered:
                    raise ValueError(f"{name} was not offered")
                if name == EXTENSION and self._deflate is not None:
                    if self.agreed is not None:
                        raise ValueError(f"{name} is accepted twice")
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
        return kind(f"{name}: {value!r}: {why}", name, value, head, response.body or b"", response)


def _pairs(headers: WSHeadersLike | None) -> Iterable[tuple[str, str]]:
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers
