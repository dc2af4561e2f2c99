"""Tests of `wscompat.legacy.auth`: who is let in, as with websockets."""

from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, serving
from tests.wscompat.raw import REQUEST, raw_client

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


async def wait(websocket: Any) -> None:
    await websocket.wait_closed()


async def status(library: Legacy, field: bytes, factory: Any) -> tuple[bytes, bytes]:
    """Return the server's response: its status, its challenge and its body."""
    async with (
        serving(library, wait, create_protocol=factory) as port,
        raw_client(port, REQUEST + field + b"\r\n") as peer,
    ):
        lines = (await peer.head()).split(b"\r\n")
        kept = [lines[0], *(line for line in lines if line.startswith(b"WWW"))]
        body = b"" if b"101" in lines[0] else await peer.rest()
        if not body:
            peer.writer.write(b"\x88\x80\0\0\0\0")
            await peer.rest()
    return b"|".join(kept), body


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"Authorization: Basic dTpw\r\n",
        b"Authorization: basic dTpw\r\n",
        b"Authorization: Basic dTpx\r\n",
        b"Authorization: Basic !\r\n",
        b"Authorization: Bearer dTpw\r\n",
        b"Authorization: Basic dmlzaXRvcjo=\r\n",
    ],
)
async def test_credentials(field: bytes) -> None:
    async def attempt(library: Legacy) -> Any:
        factory = library.auth.basic_auth_protocol_factory(
            "r", credentials=[("u", "p"), ("visitor", "")]
        )
        return await status(library, field, factory)

    assert await attempt(OURS) == await attempt(MODEL)


async def test_credentials_that_are_given_twice() -> None:
    """The model answers this with 500."""
    factory = OURS.auth.basic_auth_protocol_factory("r", credentials=("u", "p"))
    answer, _ = await status(OURS, b"Authorization: Basic dTpw\r\n" * 2, factory)
    assert answer.startswith(b"HTTP/1.1 401 ")


@BOTH
async def test_a_function_that_checks(library: Legacy) -> None:
    async def check(username: str, password: str) -> bool:
        return (username, password) == ("u", "p")

    factory = library.auth.basic_auth_protocol_factory(check_credentials=check)
    for field, expected in ((b"dTpw", b"101"), (b"dTpx", b"401")):
        answer, _ = await status(library, b"Authorization: Basic " + field + b"\r\n", factory)
        assert expected in answer


@BOTH
async def test_a_class_that_checks(library: Legacy) -> None:
    names: list[Any] = []

    class Protocol(library.auth.BasicAuthWebSocketServerProtocol):  # type: ignore[misc,name-defined]
        realm = "mine"

        async def check_credentials(self, username: str, password: str) -> bool:
            return password == "p"

        async def process_request(self, path: str, request_headers: Any) -> Any:
            response = await super().process_request(path, request_headers)
            names.append(self.username)
            return response

    answer, _ = await status(library, b"", Protocol)
    assert b'realm="mine"' in answer
    answer, _ = await status(library, b"Authorization: Basic dTpw\r\n", Protocol)
    assert b"101" in answer
    assert names == [None, "u"]


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"credentials": 3},
        {"credentials": [("a", "b"), 3]},
        {"credentials": ("a", "b"), "check_credentials": wait},
    ],
)
def test_wrong_arguments(library: Legacy, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        library.auth.basic_auth_protocol_factory(**arguments)
