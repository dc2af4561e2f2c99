"""Requests that are for no upgrade, compared with websockets: `process_request` may answer each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving
from tests.wscompat.raw import REQUEST, raw_client

UPGRADE = REQUEST.partition(b"\r\n")[2].partition(b"\r\n")[2]  # its fields but Host
PLAIN = {
    "HEAD": b"HEAD /health HTTP/1.1\r\nHost: h\r\n",
    "OPTIONS": b"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: http://a\r\n",
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n",
    "POST": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n",
    "PATCH": b"PATCH / HTTP/1.1\r\nHost: h\r\n",
    "a method of its own": b"BREW /pot HTTP/1.1\r\nHost: h\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: h\r\n",
    "CONNECT": b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n",
    "no Host": b"GET / HTTP/1.1\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n",
    "an upgrade by HEAD": b"HEAD / HTTP/1.1\r\nHost: h\r\n" + UPGRADE,
    "an upgrade by POST": b"POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE,
    "an upgrade of HTTP/1.0": b"GET / HTTP/1.0\r\nHost: h\r\n" + UPGRADE,
}
# The model closes the connection instead of answering these, and calls no function.
BEYOND_THE_MODEL = {
    "a body": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n",
    "a body in chunks": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: h\r\n",
}


def note(connection: Any, request: Any) -> Any:
    fields = [(name.lower(), value) for name, value in request.headers.raw_items()]
    connection.server.asked.append((request.method, request.path, request.protocol, fields))


def respond(connection: Any, request: Any) -> Any:
    note(connection, request)
    return connection.respond(200, "OK\n")


async def respond_late(connection: Any, request: Any) -> Any:
    await asyncio.sleep(0)
    return respond(connection, request)


def respond_barely(connection: Any, request: Any) -> Any:
    """With a response that has no fields at all."""
    note(connection, request)
    response = connection.respond(200, "OK\n")
    response.headers.clear()
    return response


async def nothing(connection: Any) -> None:
    pass


async def answer(
    library: Library, sent: bytes, process_request: Callable[..., Any] | None, **options: Any
) -> tuple[list[Any], list[str], bytes]:
    """Return the arguments of `process_request`, and the headers and body of the response."""
    options = {"process_request": process_request, "server_header": None, **options}
    async with serving(library, nothing, close_timeout=0.05, **options) as server:
        server.asked = []
        async with raw_client(port_of(server), sent) as client:
            lines = (await client.head()).decode().rstrip().split("\r\n")
            body = await client.rest()
        asked: list[Any] = server.asked
    # The answer is the last of its connection; it says so even if the program did not.
    lines = [line for line in lines if line.partition(":")[0] not in ("Date", "Connection")]
    if sent.startswith(b"HEAD"):  # the model sends a body with it (RFC 9110, 9.3.2)
        assert library is WEBSOCKETS or not body
        body = b""
    return asked, sorted(lines), body


@pytest.mark.parametrize("head", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize(
    "process_request",
    [respond, respond_late, respond_barely, note, None],
    ids=lambda function: getattr(function, "__name__", "none"),
)
async def test_same_as_the_model(process_request: Any, head: bytes) -> None:
    ours = await answer(WSCOMPAT, head + b"\r\n", process_request)
    assert ours == await answer(WEBSOCKETS, head + b"\r\n", process_request)
    asked, _, _ = ours
    assert len(asked) == (process_request is not None)


@pytest.mark.parametrize("head", BEYOND_THE_MODEL.values(), ids=BEYOND_THE_MODEL)
async def test_beyond_the_model(head: bytes) -> None:
    asked, lines, body = await answer(WSCOMPAT, head + b"\r\n5\r\nhello\r\n", respond)
    assert len(asked) == 1
    assert "HTTP/1.1 200 OK" in lines
    assert body == b"OK\n"


async def test_the_answer_is_the_last_of_its_connection() -> None:
    async with serving(WSCOMPAT, nothing, process_request=respond_barely) as server:
        server.asked = []
        port = port_of(server)
        async with raw_client(port, PLAIN["OPTIONS"] + b"\r\n") as client:
            assert b"\r\nConnection: close\r\n" in await client.head()
            assert await client.rest() == b"OK\n"


@pytest.mark.parametrize("head", [PLAIN["HEAD"], PLAIN["HTTP/1.0"]], ids=["HEAD", "HTTP/1.0"])
async def test_byte_by_byte_over_tls(head: bytes, tls: Tls) -> None:
    async with serving(WSCOMPAT, nothing, process_request=respond, ssl=tls.server) as server:
        server.asked = []
        port = port_of(server)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls.client)
        for byte in head + b"\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(BOUND):
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await writer.wait_closed()


UPGRADES = {
    "without Host": b"GET / HTTP/1.1\r\n" + UPGRADE,
    "with a body": REQUEST + b"Content-Length: 5\r\n",
}


@pytest.mark.parametrize("head", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("process_request", [note, None])
async def test_upgrades_stay_strict(head: bytes, process_request: Any) -> None:
    """Stricter than the model, which looks at no Host, and hangs up at a body."""
    _, lines, _ = await answer(WSCOMPAT, head + b"\r\nhello", process_request)
    assert "HTTP/1.1 400 Bad Request" in lines


Respond = Callable[[Any, Any], Awaitable[Any]]


def retry_after(value: Any, way: str) -> Callable[[Any, Any], Any]:
    def process_request(connection: Any, request: Any) -> Any:
        response = connection.respond(503, "later")
        headers = response.headers
        if way == "item":
            headers["Retry-After"] = value
        elif way == "update":
            headers.update({"Retry-After": value})
        elif way == "insecure":
            headers.set_insecure("Retry-After", value)
        elif way == "setdefault":
            headers.setdefault("Retry-After", value)
        else:
            fields = type(headers)([("Retry-After", value)], X=value)
            response = type(response)(503, "Service Unavailable", fields, b"later")
        assert response.headers["Retry-After"] == value
        return response

    return process_request


@pytest.mark.parametrize("value", [120, -1, 1.5, True, None, "60"])
@pytest.mark.parametrize("way", ["item", "update", "insecure", "setdefault", "response"])
async def test_values_that_are_no_strings(value: Any, way: str) -> None:
    process_request = retry_after(value, way)
    ours = await answer(WSCOMPAT, PLAIN["POST"] + b"\r\n", process_request)
    assert ours == await answer(WEBSOCKETS, PLAIN["POST"] + b"\r\n", process_request)
    assert f"Retry-After: {value}" in ours[1]


@pytest.mark.parametrize("sent", [PLAIN["no Host"], REQUEST], ids=["refusal", "acceptance"])
async def test_values_that_are_no_strings_in_process_response(sent: bytes) -> None:
    def process_response(connection: Any, request: Any, response: Any) -> None:
        response.headers["X-Number"] = 7

    async def fields(library: Library) -> list[str]:
        async with serving(library, nothing, process_response=process_response) as server:
            port = port_of(server)
            async with raw_client(port, sent + b"\r\n") as client:
                return (await client.head()).decode().split("\r\n")

    ours, model = await fields(WSCOMPAT), await fields(WEBSOCKETS)
    assert ours[0] == model[0]
    assert "X-Number: 7" in ours
    assert "X-Number: 7" in model
