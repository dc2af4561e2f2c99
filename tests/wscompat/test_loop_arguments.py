"""Arguments that wscompat does not know itself are those of the loop's methods, as in the model.

None of wscore's is taken for one of them. What is said of each is compared with websockets.
"""

import asyncio
import importlib
import inspect
import socket
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wscore
import wscore.opening.endpoints
from tests.support.tls import Tls
from tests.wscompat.libraries import BOUND, port_of
from wscompat.loop_arguments import check_arguments

OF_WSCORE = sorted(
    {
        name
        for function in (
            wscore.ws_connect,
            wscore.ws_create_server,
            wscore.opening.endpoints.open_stream,
            wscore.opening.endpoints.start_server,
        )
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    # cleanup_socket is taken on every version of Python.
    - {"url", "host", "port", "ssl", "sock", "cleanup_socket"}
)
OTHERS = [
    *("nonsense", "protocol_factory", "unix", "unix_path", "path", "loop", "klass", "secure"),
    *("proxy_ssl", "proxy_nonsense", "mode", "extra_headers", "additional_headers"),
]
#: Values that do no harm where there is such an argument.
VALUES: dict[str, Any] = {"start_serving": True, "backlog": 5, "unix": False}


def library(name: str, api: str) -> SimpleNamespace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the older API is deprecated
        client, server = (
            importlib.import_module(f"{name}.{api}.{side}") for side in ("client", "server")
        )
    return SimpleNamespace(
        connect=client.connect,
        unix_connect=client.unix_connect,
        serve=server.serve,
        unix_serve=server.unix_serve,
    )


async def stay(connection: Any) -> None:
    await connection.wait_closed()


async def attempt(library: SimpleNamespace, function: str, place: Path, **options: Any) -> str:
    """Return the result of a call and its moment; no server listens at its target."""
    arguments: dict[str, tuple[Any, ...]] = {
        "connect": ("ws://127.0.0.1:1/",),
        "unix_connect": (str(place / "nobody"), "ws://localhost/"),
        "serve": (stay, "127.0.0.1", 0),
        "unix_serve": (stay, str(place / "socket")),
    }
    moment = "called"
    try:
        made = getattr(library, function)(*arguments[function], **options)
        moment = "awaited"
        async with asyncio.timeout(BOUND):
            opened = await made
    except OSError:
        return "no server listens"
    except (TypeError, ValueError) as exc:
        text = str(exc).replace("wscompat", "websockets")
        text = text.partition(" Did you mean")[0].rstrip(".")  # a guess that Python 3.13 adds
        return f"{moment}: {type(exc).__name__}: {text}"
    opened.close()
    async with asyncio.timeout(BOUND):
        await opened.wait_closed()
    return "listens"


@pytest.mark.asyncio(loop_factories=["asyncio"])  # uvloop says it in other words
@pytest.mark.parametrize("function", ["connect", "unix_connect", "serve", "unix_serve"])
@pytest.mark.parametrize("api", ["asyncio", "legacy"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_each_argument(
    api: str, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("all_proxy", raising=False)
    ours, model = library("wscompat", api), library("websockets", api)
    different = {}
    known = inspect.signature(model.connect if "connect" in function else model.serve).parameters
    for name in sorted({*OF_WSCORE, *OTHERS} - known.keys()):
        options = {name: VALUES.get(name)}
        expected = await attempt(model, function, tmp_path, **options)
        found = await attempt(ours, function, tmp_path, **options)
        if found != expected:
            different[name] = expected, found
    assert different == {}


async def test_on_every_loop() -> None:
    loop = asyncio.get_running_loop()
    for method in (
        *("create_connection", "create_server"),
        *("create_unix_connection", "create_unix_server"),
    ):
        with pytest.raises(TypeError, match=f"{method}.. got an unexpected keyword argument 'x'"):
            check_arguments(method, {"path": "p", "x": 1} if "unix" in method else {"x": 1})  # type: ignore[arg-type]
        assert callable(getattr(loop, method))


@pytest.mark.parametrize("api", ["asyncio", "legacy"])
@pytest.mark.parametrize("has_tls", [False, True])
async def test_what_the_loop_takes_works(api: str, has_tls: bool, tls: Tls) -> None:
    """Whatever is about the sockets and TLS is taken, on both sides."""
    ours = library("wscompat", api)
    timeouts = {"ssl_handshake_timeout": BOUND, "ssl_shutdown_timeout": BOUND} if has_tls else {}
    server_tls = {"ssl": tls.server, **timeouts} if has_tls else {"ssl": None}
    client_tls = {"ssl": tls.client, "server_hostname": "127.0.0.1", **timeouts} if has_tls else {}
    async with ours.serve(
        stay,
        "127.0.0.1",
        0,
        family=socket.AF_INET,
        flags=socket.AI_PASSIVE,
        backlog=10,
        reuse_address=True,
        reuse_port=True,
        start_serving=False,
        sock=None,
        **server_tls,
    ) as server:
        assert not server.is_serving()
        await server.start_serving()
        port = port_of(server)
        async with ours.connect(
            f"ws{'s' if has_tls else ''}://localhost/",
            host="127.0.0.1",
            port=port,
            family=socket.AF_INET,
            proto=socket.IPPROTO_TCP,
            flags=0,
            sock=None,
            local_addr=("127.0.0.1", 0),
            happy_eyeballs_delay=0.2,
            interleave=1,
            **client_tls,
        ) as connection:
            await connection.ping()


@pytest.mark.parametrize("api", ["asyncio", "legacy"])
async def test_what_a_socket_makes_useless_is_ignored(api: str) -> None:
    """As the loop's own methods do."""
    ours = library("wscompat", api)
    listening = socket.create_server(("127.0.0.1", 0))
    async with ours.serve(
        stay, sock=listening, family=0, flags=0, reuse_address=True, reuse_port=True
    ):
        connected = socket.create_connection(listening.getsockname())
        async with ours.connect(
            "ws://localhost/",
            sock=connected,
            local_addr=("127.0.0.1", 0),
            family=0,
            proto=0,
            flags=0,
            interleave=1,
            happy_eyeballs_delay=0.1,
        ) as connection:
            await connection.ping()


@pytest.mark.parametrize("api", ["asyncio", "legacy"])
async def test_unix_sockets(api: str, tmp_path: Path) -> None:
    ours, path = library("wscompat", api), tmp_path / "socket"
    async with (
        ours.unix_serve(stay, path, backlog=3, start_serving=True, ssl=None, sock=None),
        ours.unix_connect(str(path), ssl=None, sock=None) as connection,
    ):
        await connection.ping()


@pytest.mark.parametrize("api", ["asyncio", "legacy"])
@pytest.mark.parametrize("function", ["unix_connect", "unix_serve"])
async def test_neither_path_nor_socket(api: str, function: str) -> None:
    """It does not connect to, or listen at, some TCP port instead."""
    ours = library("wscompat", api)
    arguments: list[Any] = [stay] if function == "unix_serve" else []
    with pytest.raises(ValueError, match="no path and sock were specified"):
        await getattr(ours, function)(*arguments)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "socks5://127.0.0.1:1"])
async def test_with_a_proxy(proxy: str) -> None:
    connect = library("wscompat", "asyncio").connect
    for name in ("nonsense", "busy_poll_us", "proxy_options", "path", "proxy_nonsense"):
        with pytest.raises(TypeError, match=f"got an unexpected keyword argument '{name}'"):
            await connect("ws://localhost/", proxy=proxy, **{name: 0})
    # Arguments for TLS with the server are ignored without TLS.
    with pytest.raises(OSError):
        await connect("ws://localhost/", proxy=proxy, ssl_handshake_timeout=3)
