"""Basic authentication: acceptance and refusal, compared with websockets."""

import base64
import importlib
from typing import Any

import pytest

from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, port_of, serving
from tests.wscompat.raw import REQUEST, raw_client
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import basic_auth, serve
from wscompat.exceptions import InvalidStatus

LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
USERS = [("user", "pass:word"), ("příliš", "žluťoučký"), ("empty", "")]


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def auth_of(library: Library) -> Any:
    return importlib.import_module(f"{library}.asyncio.server").basic_auth


async def answer(library: Library, authorization: str | None, process_request: Any) -> Any:
    """Status, challenge and body of the answer; the user's name if it accepts."""
    users = []

    async def handler(connection: Any) -> None:
        users.append(connection.username)

    field = b"" if authorization is None else f"Authorization: {authorization}\r\n".encode()
    options = {"process_request": process_request, "close_timeout": 0.05}
    async with serving(library, handler, **options) as server:
        port = port_of(server)
        async with raw_client(port, REQUEST + field + b"\r\n") as client:
            status, *lines = (await client.head()).decode().split("\r\n")
            body = await client.rest()
    if " 101 " in status:
        return status, users
    return status, [line for line in lines if line.startswith("WWW-")], body


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer token",
        "Basic !",
        "Basic dQ==",
        basic("user:pass:word"),
        basic("příliš:žluťoučký"),
        basic("empty:"),
        basic("user:wrong"),
        basic("user:"),
        basic("nobody:"),
        basic("nobody:pass:word"),
    ],
)
async def test_credentials(authorization: str | None) -> None:
    ours = await answer(WSCOMPAT, authorization, basic_auth('the "realm"', USERS))
    model = await answer(WEBSOCKETS, authorization, auth_of(WEBSOCKETS)('the "realm"', USERS))
    assert ours == model


@LIBRARIES
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_check_credentials(library: Library, asynchronous: bool) -> None:
    def check(username: str, password: str) -> bool:
        return (username, password) == USERS[0]

    async def check_later(username: str, password: str) -> bool:
        return check(username, password)

    process_request = auth_of(library)(check_credentials=check_later if asynchronous else check)
    status, users = await answer(library, basic("user:pass:word"), process_request)
    assert (status, users) == ("HTTP/1.1 101 Switching Protocols", ["user"])
    status, _, body = await answer(library, basic("user:x"), process_request)
    assert (status, body) == ("HTTP/1.1 401 Unauthorized", b"Invalid credentials\n")


async def test_two_fields_are_refused() -> None:
    both = f"{basic('user:pass:word')}\r\nAuthorization: {basic('user:wrong')}"
    status, *_ = await answer(WSCOMPAT, both, basic_auth("", USERS))
    assert status == "HTTP/1.1 401 Unauthorized"


async def test_credentials_of_the_uri() -> None:
    async def greet(connection: Any) -> None:
        await connection.send(f"hello {connection.username}")

    process_request = basic_auth(credentials=("user", "p@ss"))
    async with serve(greet, "127.0.0.1", 0, process_request=process_request) as server:
        port = port_of(server)
        async with connect(f"ws://user:p%40ss@127.0.0.1:{port}/") as connection:
            assert await connection.recv() == "hello user"
        with pytest.raises(InvalidStatus, match="HTTP 401") as caught:
            await connect(f"ws://user:pass@127.0.0.1:{port}/")
        assert caught.value.response.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"credentials": ("a", "b"), "check_credentials": lambda username, password: True},
        {"credentials": 3},
        {"credentials": [("a",)]},
        {"credentials": ("a", "b", "c")},
    ],
)
def test_wrong_arguments(arguments: dict[str, Any]) -> None:
    def failure(library: Library) -> tuple[str, str]:
        with pytest.raises((TypeError, ValueError)) as caught:
            auth_of(library)("realm", **arguments)
        return type(caught.value).__name__, str(caught.value)

    assert failure(WSCOMPAT) == failure(WEBSOCKETS)
