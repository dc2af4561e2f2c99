"""`route`, compared with websockets: the same map, the same requests, the same answers."""

import contextlib
import importlib
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from tests.support.tls import Tls
from tests.wscompat.libraries import (
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    closing_at_exit,
    describe,
    port_of,
)
from tests.wscompat.raw import raw_client

LIBRARIES = [WEBSOCKETS, WSCOMPAT]
# Answers differ in these by their nature.
CHANGING = (b"date:", b"server:")
PATHS = [
    "/",
    "/?q=1",
    "//",
    "//elsewhere.example/folder",
    "http://elsewhere.example/folder",
    "/number/3",
    "/number/x",
    "/user/12345678-1234-5678-1234-567812345678/%C3%A9%20z",
    "/user/12345678/a",
    "/path/a/b%2Fc",
    "/constant",
    "/folder",
    "/folder?a=b&c=%20",
    "/folder/",
    "/old",
    "/old?x=1",
    "/old/7",
    "/alias",
    "/a//b",
    "/nothing",
    "/%ff",
]


async def plain(websocket: Any) -> None:
    """Send the attributes that the connection has of its handler."""
    known = websocket.handler is plain, websocket.handler_kwargs, websocket.request.path
    await websocket.send(repr(known))


async def with_keywords(websocket: Any, **kwargs: Any) -> None:
    """Send the arguments."""
    await websocket.send(repr(sorted(kwargs.items())))


def url_map() -> Map:
    return Map(
        [
            Rule("/", endpoint=plain),
            Rule("/alias", endpoint=plain, alias=True),
            Rule("/a/b", endpoint=plain),
            Rule("/number/<int:number>", endpoint=with_keywords),
            Rule("/user/<uuid:user>/<name>", endpoint=with_keywords),
            Rule("/path/<path:path>", endpoint=with_keywords),
            Rule("/constant", endpoint=with_keywords, defaults={"constant": 1}),
            Rule("/folder/", endpoint=plain),
            Rule("/old", redirect_to="/"),
            Rule("/old/<int:number>", redirect_to="number/<number>"),
            Rule("/posted", endpoint=plain, methods=["POST"]),
        ]
    )


@contextlib.asynccontextmanager
async def routing(
    library: Library, *, rules: Map | None = None, **options: Any
) -> AsyncIterator[int]:
    """Serve the map; gives the port."""
    route = importlib.import_module(f"{library}.asyncio.router").route
    server = await route(rules or url_map(), "127.0.0.1", 0, compression=None, **options)
    async with closing_at_exit(server):
        yield port_of(server)


def request(path: str, *fields: str) -> bytes:
    """Return a request to upgrade, with further fields."""
    lines = [
        f"GET {path} HTTP/1.1",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", *fields),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer(port: int, path: str, *fields: str) -> tuple[list[bytes], bytes]:
    """Return the response to a request: the stable part of its headers, and the rest."""
    async with raw_client(port, request(path, *fields)) as client:
        head = await client.head()
        if head.startswith(b"HTTP/1.1 101 "):
            client.writer.write(b"\x88\x82\0\0\0\0\x03\xe8")  # the CLOSE that it waits for
        rest = await client.rest()
    lines = head.split(b"\r\n")
    return sorted(line for line in lines if not line.lower().startswith(CHANGING)), rest


async def answers(library: Library, *fields: str, **options: Any) -> dict[str, Any]:
    """Return the responses of a library's server to the requests for all paths."""
    async with routing(library, **options) as port:
        return {path: await answer(port, path, *fields) for path in PATHS}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"server_name": "example.com"},
        {"ssl": True},
        {"ssl": True, "server_name": "example.com:8080"},
    ],
    ids=str,
)
async def test_answers(options: dict[str, Any]) -> None:
    model = await answers(WEBSOCKETS, "Host: example.org:81", **options)
    assert await answers(WSCOMPAT, "Host: example.org:81", **options) == model
    name = options.get("server_name", "example.org:81")
    scheme = "wss" if "ssl" in options else "ws"
    assert f"Location: {scheme}://{name}/folder/".encode() in model["/folder"][0]
    assert b"'number', 3" in model["/number/3"][1]
    assert str(uuid.UUID("12345678-1234-5678-1234-567812345678")).encode() in b"".join(
        rest for _, rest in model.values()
    )


@pytest.mark.parametrize(
    "fields", [["Host: "], ["Host: bad host/x"], [], ["Host: a", "Host: b"]], ids=str
)
@pytest.mark.parametrize("options", [{}, {"server_name": "example.com"}], ids=str)
async def test_odd_hosts(fields: list[str], options: dict[str, Any]) -> None:
    async def ask(library: Library) -> list[Any]:
        async with routing(library, **options) as port:
            return [await answer(port, path, *fields) for path in ("/folder", "/old", "/")]

    ours = await ask(WSCOMPAT)
    if len(fields) != 1 and not options:  # the model answers 500 to this error of the client
        assert all(b"HTTP/1.1 400 Bad Request" in head for head, _ in ours)
    elif len(fields) != 1:  # only what would upgrade has to have it (RFC 6455, 4.2.1)
        assert ours[0] == (await ask(WEBSOCKETS))[0]
        assert b"HTTP/1.1 302 Found" in ours[0][0]
    else:
        assert ours == await ask(WEBSOCKETS)


async def test_a_rule_for_another_method() -> None:
    for library in LIBRARIES:
        async with routing(library) as port:
            head, rest = await answer(port, "/posted", "Host: example.org")
            assert b"HTTP/1.1 500 Internal Server Error" in head
            assert b"See server log" in rest


@pytest.mark.parametrize("library", LIBRARIES, ids=str)
async def test_over_tls(library: Library, tls: Tls) -> None:
    async with (
        routing(library, ssl=tls.server) as port,
        library.connect(f"wss://127.0.0.1:{port}/folder", ssl=tls.client, proxy=None) as websocket,
    ):
        assert await websocket.recv() == "(True, {}, '/folder/')"


@pytest.mark.parametrize("waits", [False, True])
async def test_process_request_is_asked_first(waits: bool) -> None:
    async def ask(library: Library) -> tuple[list[Any], list[Any]]:
        seen: list[Any] = []

        def decide(connection: Any, request: Any) -> Any:
            seen.append((request.path, hasattr(connection, "handler")))
            return connection.respond(418, "no tea") if request.path == "/tea" else None

        async def wait_and_decide(connection: Any, request: Any) -> Any:
            return decide(connection, request)

        process_request: Callable[..., Any] = wait_and_decide if waits else decide
        async with routing(library, process_request=process_request) as port:
            paths = ("/", "/tea", "/nothing")
            return [await answer(port, path, "Host: h") for path in paths], seen

    assert await ask(WSCOMPAT) == await ask(WEBSOCKETS)


async def test_another_router() -> None:
    async def ask(library: Library) -> list[Any]:
        router = importlib.import_module(f"{library}.asyncio.router").Router
        seen: list[Any] = []

        class Own(router):  # type: ignore[misc, valid-type]
            def get_server_name(self, connection: Any, request: Any) -> str:
                seen.append(("name", super().get_server_name(connection, request)))
                return "own.example"

            def redirect(self, connection: Any, url: str) -> Any:
                seen.append(("redirect", url))
                return super().redirect(connection, url)

            def not_found(self, connection: Any) -> Any:
                return connection.respond(410, "gone")

            async def handler(self, connection: Any) -> None:
                seen.append(("handler", connection.handler is plain))
                await super().handler(connection)

        def create(*args: Any) -> Any:
            seen.append(args[1:])
            return Own(*args)

        async with routing(library, create_router=create, ssl=True) as port:
            paths = ("/", "/folder", "/nothing")
            return [await answer(port, path, "Host: h") for path in paths] + seen

    assert await ask(WSCOMPAT) == await ask(WEBSOCKETS)


async def test_unix(tmp_path: Path) -> None:
    for library in LIBRARIES:
        unix_route = importlib.import_module(f"{library}.asyncio.router").unix_route
        unix_connect = importlib.import_module(f"{library}.asyncio.client").unix_connect
        path = str(tmp_path / "socket")
        async with unix_route(url_map(), path), unix_connect(path, "ws://h/number/4") as websocket:
            assert await websocket.recv() == "[('number', 4)]"


async def test_clients_follow_its_redirects() -> None:
    for client in LIBRARIES:
        async with (
            routing(WSCOMPAT) as port,
            client.connect(f"ws://127.0.0.1:{port}/old/7", proxy=None) as websocket,
        ):
            assert await websocket.recv() == "[('number', 7)]"


def test_the_rules_become_rules_for_websockets() -> None:
    for library in LIBRARIES:
        rules = url_map()
        router = importlib.import_module(f"{library}.asyncio.router").Router(rules)
        assert all(rule.websocket for rule in rules.iter_rules())
        assert (router.url_map, router.server_name, router.url_scheme) == (rules, None, "ws")


async def test_a_handler_that_is_none(caplog: pytest.LogCaptureFixture) -> None:
    async def ask(library: Library) -> str:
        async with routing(library, rules=Map([Rule("/", endpoint="name")])) as port:
            try:
                async with library.connect(f"ws://127.0.0.1:{port}/", proxy=None) as websocket:
                    return str(await websocket.recv())
            except library.exceptions.ConnectionClosed as exc:
                return describe(exc)

    assert await ask(WSCOMPAT) == await ask(WEBSOCKETS)


def test_without_werkzeug() -> None:
    program = (
        "import sys\n"
        "import importlib.util\n"
        "known = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'werkzeug' else known(name)\n"
        "from wscompat import *\n"
        "assert 'werkzeug' not in sys.modules\n"
        "for function in (route, unix_route):\n"
        "    try:\n"
        "        function(None)\n"
        "    except ImportError as exc:\n"
        "        assert 'requires werkzeug' in str(exc), exc\n"
        "    else:\n"
        "        raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
