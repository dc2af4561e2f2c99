"""Basic authentication of clients (RFC 7617), as a ``process_request`` for `serve`."""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..exceptions import InvalidHeader
from ..headers import build_www_authenticate_basic, parse_authorization_basic
from ..http11 import Request, Response

if TYPE_CHECKING:
    from .server import ServerConnection

__all__ = ["Credentials", "basic_auth", "checker"]

Credentials = tuple[str, str]
CheckCredentials = Callable[[str, str], Awaitable[bool] | bool]


def basic_auth(
    realm: str = "",
    credentials: Credentials | Iterable[Credentials] | None = None,
    check_credentials: CheckCredentials | None = None,
) -> Callable[[ServerConnection, Request], Awaitable[Response | None]]:
    """Make a ``process_request`` that lets only known users in.

    It sets the attribute ``username`` of the connections it lets in, and answers the others with
    status 401. One of `credentials` and `check_credentials` must be given.

    Args:
        realm: the protection space (RFC 9110, 11.5); ASCII.
        credentials: a pair of user name and password, or several.
        check_credentials: a function or coroutine function that is given a user name and a
            password, and returns whether they are right.

    Raises:
        TypeError: if `credentials` are not such pairs.
        ValueError: if both or none are given.
    """
    if (credentials is None) == (check_credentials is None):
        raise ValueError("provide either credentials or check_credentials")
    check = check_credentials or checker(credentials)

    async def process_request(connection: ServerConnection, request: Request) -> Response | None:
        """Let the request pass, or answer it with status 401."""

        def refuse(text: str) -> Response:
            response = connection.respond(HTTPStatus.UNAUTHORIZED, text)
            response.headers["WWW-Authenticate"] = build_www_authenticate_basic(realm)
            return response

        values = request.headers.get_all("Authorization")
        if not values:
            return refuse("Missing credentials\n")
        try:
            username, password = parse_authorization_basic(values[0])
        except InvalidHeader:
            return refuse("Unsupported credentials\n")
        valid = check(username, password)
        if inspect.isawaitable(valid):
            valid = await valid
        if not valid or len(values) > 1:
            return refuse("Invalid credentials\n")
        connection.username = username
        return None

    return process_request


def checker(credentials: object) -> Callable[[str, str], bool]:
    """Compare with fixed credentials, in a time that does not depend on their content.

    Args:
        credentials: a pair of user name and password, or several.

    Returns:
        A function of a user name and a password that returns whether they are right.

    Raises:
        TypeError: if `credentials` are not such pairs.
    """
    pairs = [credentials] if _is_pair(credentials) else credentials
    if not isinstance(pairs, Iterable):
        raise TypeError(f"invalid credentials argument: {credentials!r}")
    known = list(pairs)
    if not all(_is_pair(pair) for pair in known):
        raise TypeError(f"invalid credentials argument: {credentials!r}")
    valid = [_encoded(*pair) for pair in known]

    def check(username: str, password: str) -> bool:
        given = _encoded(username, password)
        return sum(hmac.compare_digest(given, pair) for pair in valid) > 0  # compares with all

    return check


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, str) for part in value)
    )


def _encoded(username: str, password: str) -> bytes:
    return f"{username}:{password}".encode("utf-8", "surrogateescape")
