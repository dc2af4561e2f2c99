"""Basic authentication of clients (RFC 7617), as a protocol factory for `serve`."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from ..asyncio.basic_auth import Credentials, checker
from ..datastructures import Headers
from ..exceptions import InvalidHeader
from ..headers import build_www_authenticate_basic, parse_authorization_basic
from .server_protocol import HTTPResponse, WebSocketServerProtocol

__all__ = ["BasicAuthWebSocketServerProtocol", "basic_auth_protocol_factory"]

CheckCredentials = Callable[[str, str], Awaitable[bool]]


class BasicAuthWebSocketServerProtocol(WebSocketServerProtocol):
    """The server's end of a connection whose client must authenticate.

    Args:
        *args: as for `WebSocketServerProtocol`.
        realm: the protection space (RFC 9110, 11.5); ASCII. The class attribute if None.
        check_credentials: replaces the method of this name.
        **kwargs: as for `WebSocketServerProtocol`.

    Attributes:
        username: who it is, once the credentials were found right.
    """

    realm: str = ""
    username: str | None = None

    def __init__(
        self,
        *args: Any,
        realm: str | None = None,
        check_credentials: CheckCredentials | None = None,
        **kwargs: Any,
    ) -> None:
        if realm is not None:
            self.realm = realm
        self._check_credentials = check_credentials
        super().__init__(*args, **kwargs)

    async def check_credentials(self, username: str, password: str) -> bool:
        """Return whether credentials are right. To be overridden.

        Args:
            username: the user name.
            password: the password.
        """
        if self._check_credentials is None:
            return False
        return await self._check_credentials(username, password)

    async def process_request(self, path: str, request_headers: Headers) -> HTTPResponse | None:
        """Answer a request without the right credentials with status 401."""
        values = request_headers.get_all("Authorization")
        if not values:
            return self._refusal(b"Missing credentials\n")
        try:
            username, password = parse_authorization_basic(values[0])
        except InvalidHeader:
            return self._refusal(b"Unsupported credentials\n")
        if len(values) > 1 or not await self.check_credentials(username, password):
            return self._refusal(b"Invalid credentials\n")
        self.username = username
        return await super().process_request(path, request_headers)

    def _refusal(self, body: bytes) -> HTTPResponse:
        field = ("WWW-Authenticate", build_www_authenticate_basic(self.realm))
        return HTTPStatus.UNAUTHORIZED, [field], body


def basic_auth_protocol_factory(
    realm: str | None = None,
    credentials: Credentials | Iterable[Credentials] | None = None,
    check_credentials: CheckCredentials | None = None,
    create_protocol: Callable[..., BasicAuthWebSocketServerProtocol] | None = None,
) -> Callable[..., BasicAuthWebSocketServerProtocol]:
    """Make a ``create_protocol`` that lets only known users in.

    Args:
        realm: the protection space (RFC 9110, 11.5); ASCII.
        credentials: a pair of user name and password, or several. One of this and
            `check_credentials` must be given.
        check_credentials: a coroutine function; it takes a user name and a password, and returns
            whether they are right.
        create_protocol: the class of the connections, derived from
            `BasicAuthWebSocketServerProtocol`.

    Raises:
        TypeError: if both or none are given, or `credentials` are not such pairs.
    """
    if (credentials is None) == (check_credentials is None):
        raise TypeError("provide either credentials or check_credentials")
    if credentials is not None:
        check = checker(credentials)

        async def check_credentials(username: str, password: str) -> bool:
            return check(username, password)

    return functools.partial(
        create_protocol or BasicAuthWebSocketServerProtocol,
        realm=realm,
        check_credentials=check_credentials,
    )
