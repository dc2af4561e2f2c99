"""Origins and subprotocols: the decisions of the server, compared with those of websockets."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, serving
from tests.wscompat.raw import REQUEST, raw_client

ORIGINS = ["http://a.example", re.compile(r"https?://[a-z]+\.test"), None]


async def nothing(connection: Any) -> None:
    pass


async def answer(library: Library, fields: bytes, **options: Any) -> tuple[str, list[str], str]:
    """Status, subprotocol and body of the answer to a request with these fields."""
    async with serving(library, nothing, close_timeout=0.05, **options) as server:
        port = server.sockets[0].getsockname()[1]
        async with raw_client(port, REQUEST + fields + b"\r\n") as client:
            status, *lines = (await client.head()).decode().split("\r\n")
            body = await client.rest()
    chosen = [line for line in lines if line.startswith("Sec-WebSocket-Protocol")]
    return status, chosen, "" if " 101 " in status else body.decode()


async def check_same(fields: bytes, **options: Any) -> tuple[str, list[str], str]:
    ours = await answer(WSCOMPAT, fields, **options)
    assert ours == await answer(WEBSOCKETS, fields, **options)
    return ours


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://a.example", True),
        ("http://A.example", False),
        ("http://a.example.org", False),
        ("https://abc.test", True),
        ("https://abc.test.org", False),
        ("null", False),
        ("", False),
    ],
)
async def test_origins(origin: str | None, allowed: bool) -> None:
    fields = b"" if origin is None else f"Origin: {origin}\r\n".encode()
    status, _, body = await check_same(fields, origins=ORIGINS)
    assert status == f"HTTP/1.1 {'101 Switching Protocols' if allowed else '403 Forbidden'}"
    assert body.startswith("" if allowed else "Failed to open a WebSocket connection: ")


async def test_origin_is_required_unless_none_is_allowed() -> None:
    status, _, body = await check_same(b"", origins=["http://a.example"])
    assert status == "HTTP/1.1 403 Forbidden"
    assert body == "Failed to open a WebSocket connection: missing Origin header.\n"


async def test_two_origins() -> None:
    fields = b"Origin: http://a.example\r\nOrigin: http://a.example\r\n"
    status, _, _ = await answer(WSCOMPAT, fields, origins=ORIGINS)
    assert status == "HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize(
    ("supported", "offered", "expected"),
    [
        (None, "a", None),
        ([], "a", None),
        (["a"], "a", "a"),
        (["a", "b"], "b, a", "a"),
        (["a", "b"], "c,b", "b"),
        (["a"], "b", 400),
        (["a"], None, 400),
        (["a"], "A", 400),
    ],
)
async def test_subprotocols(
    supported: list[str] | None, offered: str | None, expected: str | int | None
) -> None:
    fields = b"" if offered is None else f"Sec-WebSocket-Protocol: {offered}\r\n".encode()
    status, chosen, _ = await check_same(fields, subprotocols=supported)
    assert (status == "HTTP/1.1 400 Bad Request") == (expected == 400)
    assert chosen == ([f"Sec-WebSocket-Protocol: {expected}"] if isinstance(expected, str) else [])


@pytest.mark.parametrize("offered", ["a", "b", "a, b", None])
async def test_select_subprotocol(offered: str | None) -> None:
    def select(connection: Any, names: Sequence[str]) -> str | None:
        return "b" if "b" in names else None

    fields = b"" if offered is None else f"Sec-WebSocket-Protocol: {offered}\r\n".encode()
    status, chosen, _ = await check_same(fields, subprotocols=["a", "b"], select_subprotocol=select)
    assert status == "HTTP/1.1 101 Switching Protocols"
    assert bool(chosen) == ("b" in (offered or ""))


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
async def test_select_subprotocol_that_refuses(library: Library) -> None:
    def select(connection: Any, names: Sequence[str]) -> str | None:
        raise library.exceptions.NegotiationError("not today")

    status, _, body = await answer(library, b"", subprotocols=["a"], select_subprotocol=select)
    assert status == "HTTP/1.1 400 Bad Request"
    assert body == "Failed to open a WebSocket connection: not today.\n"
