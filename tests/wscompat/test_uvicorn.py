"""uvicorn serves a Starlette application on wscompat, to clients of both libraries.

It does so with its implementation for the layer without I/O, and with that for the older API.

uvicorn is not changed: ``import websockets`` gives it wscompat. It runs in a process of its own.
"""

import asyncio
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library

PROGRAM = Path(__file__).parent / "uvicorn_app.py"
LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=str)


class Served:
    """The running program."""

    def __init__(self, process: subprocess.Popen[str], implementation: str) -> None:
        self.process = process
        self.implementation = implementation
        self.port = int(self.line())
        self.connections = 0

    def line(self) -> str:
        """Return the next line of its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> str:
        """Return its output at the end of the latest connection."""
        name = f"{self.connections} "
        while not (line := self.line()).startswith(name):
            assert line, "the program is gone"
        return line.removeprefix(name)

    def connect(self, library: Library, path: str, **options: Any) -> Any:
        """Connect, with everything that its library can do by default."""
        self.connections += 1
        uri = f"ws://127.0.0.1:{self.port}{path}?{self.connections}"
        return library.connect(uri, proxy=None, **options)


@pytest.fixture(scope="module", params=["websockets-sansio", "websockets"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    command = [sys.executable, "-W", "ignore", "-u", str(PROGRAM), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield Served(process, request.param)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(BOUND)
            except subprocess.TimeoutExpired:
                process.kill()


@LIBRARIES
async def test_echo(served: Served, library: Library) -> None:
    async with asyncio.timeout(BOUND), served.connect(library, "/echo") as connection:
        for message in ("text", "", "ž" * 1000, b"binary", b"", bytes(range(256)) * 300):
            await connection.send(message)
            assert await connection.recv() == message
        await connection.send(["in ", "three ", "fragments"])
        assert await connection.recv() == "in three fragments"
        await (await connection.ping())
        assert connection.response.headers["x-app"] == "yes"
        assert connection.subprotocol is None
        await connection.close(4000, "bye")
    assert served.end() == "left 4000 bye"


@LIBRARIES
async def test_many_messages_at_once(served: Served, library: Library) -> None:
    async with asyncio.timeout(BOUND), served.connect(library, "/echo") as connection:
        for i in range(200):
            await connection.send(f"message {i} " * (i % 20))
        for i in range(200):
            assert await connection.recv() == f"message {i} " * (i % 20)
    assert served.end() == "left 1000 -"


@LIBRARIES
async def test_subprotocol(served: Served, library: Library) -> None:
    offered = ["other", "chat"]
    async with (
        asyncio.timeout(BOUND),
        served.connect(library, "/echo", subprotocols=offered) as connection,
    ):
        assert connection.subprotocol == "chat"


@LIBRARIES
@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (3456, "důvod")])
async def test_the_server_closes(served: Served, library: Library, code: int, reason: str) -> None:
    async with asyncio.timeout(BOUND), served.connect(library, "/echo") as connection:
        await connection.send(f"close {code} {reason}")
        with pytest.raises(library.exceptions.ConnectionClosed) as caught:
            await connection.recv()
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)
        assert caught.value.rcvd_then_sent
    seen = code if served.implementation == "websockets-sansio" else 1005  # that is uvicorn's doing
    assert served.end().startswith(f"left {seen}")


@LIBRARIES
async def test_the_application_fails(served: Served, library: Library) -> None:
    async with asyncio.timeout(BOUND), served.connect(library, "/echo") as connection:
        await connection.send("fail")
        with pytest.raises(library.exceptions.ConnectionClosedError) as caught:
            await connection.recv()
        assert (caught.value.rcvd, caught.value.sent) == (None, None)  # uvicorn just hangs up
    assert served.end() == "failed"


@LIBRARIES
async def test_message_too_large(served: Served, library: Library) -> None:
    async with (
        asyncio.timeout(BOUND),
        served.connect(library, "/echo", compression=None) as connection,
    ):
        await connection.send(bytes(100_001))
        with pytest.raises(library.exceptions.ConnectionClosedError) as caught:
            await connection.recv()
        assert caught.value.rcvd.code == 1009
        reasons = {
            "websockets-sansio": "frame with 100001 bytes exceeds limit of 100000 bytes",
            "websockets": "frame exceeds limit of 100000 bytes",
        }
        assert caught.value.rcvd.reason == reasons[served.implementation]


@LIBRARIES
async def test_the_client_vanishes(served: Served, library: Library) -> None:
    async with asyncio.timeout(BOUND):
        connection = await served.connect(library, "/echo")
        connection.transport.abort()
        await connection.wait_closed()
    assert served.end().startswith(("left 1005", "left 1006"))


@LIBRARIES
async def test_refused(served: Served, library: Library) -> None:
    for path, status, body in (("/refuse", 403, b""), ("/deny", 418, b"not today")):
        with pytest.raises(library.exceptions.InvalidStatus) as caught:
            async with asyncio.timeout(BOUND), served.connect(library, path):
                pass
        assert (caught.value.response.status_code, caught.value.response.body) == (status, body)


@LIBRARIES
async def test_header_that_is_not_ascii(served: Served, library: Library) -> None:
    """Uvicorn treats it by the version of websockets; Starlette reads it as Latin-1."""
    options = {"additional_headers": {"X": "é"}}
    async with asyncio.timeout(BOUND), served.connect(library, "/headers", **options) as connection:
        assert await connection.recv() == '{"x":"é","path":"/headers"}'


def test_plain_requests_still_work(served: Served) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/", timeout=BOUND) as response:
        assert response.read() == b"a page"
