"""The examples run as they stand, and so do the programs of the package's README."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "wscompat"
README = ROOT / "packages" / "wscompat" / "README.md"
BOUND = 30  # seconds; only a failing test takes more than one


@contextmanager
def running(*arguments: str) -> Iterator[Any]:
    """Run a Python process with pipes to talk to it, ended with the block."""
    command = [sys.executable, "-X", "utf8", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def test_echo() -> None:
    with running(str(EXAMPLES / "echo_server.py"), "0") as server:
        port = server.stdout.readline().split()[-1]
        with running(str(EXAMPLES / "echo_client.py"), f"ws://localhost:{port}") as client:
            output, _ = client.communicate("žluťoučký\n\nkůň\n", timeout=BOUND)
            assert output == "žluťoučký\n\nkůň\n"
            assert client.returncode == 0
        server.send_signal(signal.SIGINT)
        assert server.wait(BOUND) == 0


def test_echo_client_when_the_server_leaves() -> None:
    with running(str(EXAMPLES / "echo_server.py"), "0") as server:
        port = server.stdout.readline().split()[-1]
        with running(str(EXAMPLES / "echo_client.py"), f"ws://localhost:{port}") as client:
            client.stdin.write("one\n")
            client.stdin.flush()
            assert client.stdout.readline() == "one\n"
            server.send_signal(signal.SIGINT)
            assert server.wait(BOUND) == 0
            output, _ = client.communicate("two\n", timeout=BOUND)
            assert output.startswith("the server left: received 1001 (going away)")


def test_chat_rooms() -> None:
    with running(str(EXAMPLES / "chat_rooms.py"), "0") as server:
        uri = f"ws://localhost:{server.stdout.readline().split()[-1]}"

        def members() -> str:
            with running("-m", "wscompat", f"{uri}/rooms") as client:
                return str(client.communicate(timeout=BOUND)[0])

        room = ("-m", "wscompat", f"{uri}/room/one")
        with running(*room) as first, running(*room) as second:
            deadline = time.monotonic() + BOUND
            while members() != "one: 2\n":
                assert time.monotonic() < deadline
            first.stdin.write("hello\n")
            first.stdin.flush()
            assert second.stdout.readline() == "hello\n"


SPEAKER = """
import asyncio
from wscompat.asyncio.server import serve

async def speak(connection):
    await connection.send("news")

async def main():
    async with serve(speak, "localhost", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


def test_follow() -> None:
    with running("-c", SPEAKER) as server:
        uri = f"ws://localhost:{server.stdout.readline().strip()}"
        with running(str(EXAMPLES / "follow.py"), uri) as client:
            for _ in range(3):
                assert client.stdout.readline() == "connected\n"
                assert client.stdout.readline() == "news\n"


def test_programs_of_the_readme() -> None:
    client, server = (
        part.partition("```")[0] for part in README.read_text("utf-8").split("```python\n")[1:3]
    )
    with socket.create_server(("localhost", 0)) as probe:
        port = str(probe.getsockname()[1])
    listening = "print('ready', flush=True); await server.serve_forever()"
    server = server.replace("8765", port).replace("await server.serve_forever()", listening)
    with running("-c", server) as serving:
        assert serving.stdout.readline() == "ready\n"
        with running("-c", client.replace("8765", port)) as connecting:
            output, _ = connecting.communicate(timeout=BOUND)
            assert output == "Hello!\n"
            assert connecting.returncode == 0


def test_the_readme_s_program_without_io() -> None:
    blocks = README.read_text("utf-8").split("```python\n")
    (block,) = (b.partition("```")[0] for b in blocks if "ServerProtocol()" in b)
    with running("-c", block) as program:
        output, _ = program.communicate(timeout=BOUND)
    assert output.startswith("[b'HTTP/1.1 101 Switching Protocols")
    assert output.endswith("b'\\x81\\x07welcome']\n")


@pytest.mark.parametrize("name", ["connect", "serve"])
def test_only_the_import_differs_from_websockets(name: str) -> None:
    blocks = README.read_text("utf-8").split("```python\n")[1:3]
    (block,) = (b.partition("```")[0] for b in blocks if f"import {name}\n" in b)
    assert block.count("wscompat") == 1
