"""Runs the examples of wsframe against the index's `websockets`."""

import http.client
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

import wsframe

client = pytest.importorskip("websockets.sync.client")
server = pytest.importorskip("websockets.sync.server")
exceptions = pytest.importorskip("websockets.exceptions")

EXAMPLES = Path(__file__).parents[2] / "examples" / "wsframe"


def load(name: str) -> ModuleType:
    """Import an example, which is a script."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(*command: str | Path) -> Iterator[str]:
    """Run a server that prints its port; gives its URL."""
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"ws://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.terminate()


def converse(url: str, largest: int = 3_000_000) -> None:
    """Let the `websockets` client try everything an echo server must do."""
    with client.connect(url, max_size=None, compression=None, close_timeout=20) as connection:
        for message in ["", "Grüße", b"", b"\x00\xff", "x" * 125, b"y" * 126, b"z" * 65_536]:
            connection.send(message)
            assert connection.recv(timeout=20) == message
        connection.send(b"w" * largest)
        assert connection.recv(timeout=20) == b"w" * largest
        connection.send(["one ", "two ", "three"])
        assert connection.recv(timeout=20) == "one two three"
        assert connection.ping(b"?").wait(20)
        for i in range(200):  # many in one read
            connection.send(str(i))
        assert [connection.recv(timeout=20) for _ in range(200)] == [str(i) for i in range(200)]
        connection.close(4000, "enough")
    assert (connection.close_code, connection.close_reason) == (4000, "enough")


def misbehave(url: str) -> None:
    """Send text that is not UTF-8; the server must say so and end the connection."""
    with client.connect(url, compression=None, close_timeout=20) as connection:
        connection.send(b"\xff", text=True)
        with pytest.raises(exceptions.ConnectionClosedError) as caught:
            connection.recv(timeout=20)
        assert caught.value.rcvd.code == 1007


def plain_get(url: str) -> int:
    """Ask for a page as a browser would; returns the status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    connection.request("GET", "/")
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture(scope="module")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the C server against the installed package."""
    build = tmp_path_factory.mktemp("echo_server")
    commands: list[list[str | Path]] = [
        ["-S", EXAMPLES / "echo_server", "-B", build, f"-Dwsframe_DIR={wsframe.get_cmake_dir()}"],
        ["--build", build],
    ]
    for command in commands:
        result = subprocess.run(
            ["cmake", *command], capture_output=True, text=True, timeout=110, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
    return build / "echo_server"


@pytest.mark.skipif(sys.platform != "linux", reason="lacking: epoll")
class TestEchoServerInC:
    def test_conversation(self, echo_server: Path) -> None:
        with running(echo_server) as url:
            converse(url)

    def test_several_clients(self, echo_server: Path) -> None:
        with running(echo_server) as url:
            threads = [threading.Thread(target=converse, args=(url,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
            converse(url)

    def test_misbehaviour(self, echo_server: Path) -> None:
        with running(echo_server) as url:
            misbehave(url)
            converse(url)

    def test_plain_http(self, echo_server: Path) -> None:
        with running(echo_server) as url:
            assert plain_get(url) == 426


class TestAsyncioStreams:
    def test_conversation(self) -> None:
        with running(sys.executable, EXAMPLES / "asyncio_streams.py") as url:
            converse(url, largest=1_000_000)

    def test_misbehaviour(self) -> None:
        with running(sys.executable, EXAMPLES / "asyncio_streams.py") as url:
            misbehave(url)
            assert plain_get(url) == 426


class TestBlockingClient:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        """Yield the URL of an echo server of `websockets` that pings before it answers."""

        def echo(connection: Any) -> None:
            for message in connection:
                assert connection.ping().wait(20)
                connection.send(iter([message[:3], message[3:]]))

        with server.serve(echo, "127.0.0.1", 0, compression=None, max_size=None) as running_server:
            thread = threading.Thread(target=running_server.serve_forever)
            thread.start()
            yield f"ws://127.0.0.1:{running_server.socket.getsockname()[1]}/"
            running_server.shutdown()
            thread.join(60)

    @pytest.mark.parametrize("text", ["Hello", "Grüße " * 10_000])
    def test_reply(self, url: str, text: str) -> None:
        assert load("blocking_client").main(url, text) == text

    def test_no_websocket_server(self) -> None:
        with running(sys.executable, EXAMPLES / "asyncio_streams.py") as url:
            example = load("blocking_client")
            setattr(example, "GUID", b"another")  # noqa: B010 -- so that the accept key is wrong
            with pytest.raises(ConnectionError, match="refused"):
                example.main(url, "Hello")

    def test_another_scheme(self) -> None:
        with pytest.raises(ValueError, match="ws://"):
            load("blocking_client").main("http://127.0.0.1/", "Hello")
