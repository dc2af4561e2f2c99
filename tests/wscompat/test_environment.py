"""The environment variables of websockets, each read in a fresh process by both libraries."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import asyncio, importlib, itertools, sys

    package = sys.argv[1]
    connect = importlib.import_module(package + ".asyncio.client").connect
    serve = importlib.import_module(package + ".asyncio.server").serve
    backoff = importlib.import_module(package + ".client").backoff
    frames = importlib.import_module(package + ".frames")

    def redirect(connection, request):
        if request.path != "/loop":
            return None
        response = connection.respond(302, "")
        response.headers["Location"] = "/loop"
        return response

    async def handler(websocket):
        await websocket.wait_closed()

    async def main():
        async with serve(handler, "127.0.0.1", 0, process_request=redirect) as server:
            uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with connect(uri, proxy=None) as websocket:
                for headers, name in (
                    (websocket.request.headers, "User-Agent"),
                    (websocket.response.headers, "Server"),
                ):
                    print(name, headers[name].partition("/")[0])
            try:
                await connect(uri + "/loop", proxy=None)
            except Exception as exc:
                print(type(exc).__name__, exc)
        first, *others = itertools.islice(backoff(), 6)
        print(first <= 1000, [round(delay, 3) for delay in others])
        print(frames.Frame(frames.Opcode.TEXT, b"x" * 200))

    asyncio.run(asyncio.wait_for(main(), 20))
    """
)
VARIABLES = {
    "WEBSOCKETS_BACKOFF_FACTOR": "3",
    "WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.5",
    "WEBSOCKETS_BACKOFF_MAX_DELAY": "7",
    "WEBSOCKETS_BACKOFF_MIN_DELAY": "1",
    "WEBSOCKETS_MAX_LOG_SIZE": "30",
    "WEBSOCKETS_MAX_REDIRECTS": "2",
    "WEBSOCKETS_SERVER": "own server",
    "WEBSOCKETS_USER_AGENT": "own agent",
}


def output(library: str, variables: dict[str, str]) -> str:
    """Return the output of the program with a library."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEBSOCKETS_")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, library],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=40,
    ).stdout


@pytest.mark.parametrize("variables", [{}, VARIABLES], ids=["none", "all"])
def test_environment(variables: dict[str, str]) -> None:
    ours = output("wscompat", variables)
    assert ours == output("websockets", variables)
    assert ("own server" in ours) == ("more than 2 redirects" in ours) == bool(variables)
