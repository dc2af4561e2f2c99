"""Every program of examples/wscore, run as it stands, on asyncio's loop and on uvloop."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.programs import ROOT, line_of, run, running, server
from tests.support.skips import lacking
from tests.wscore.raw_peer import free_port

EXAMPLES = "examples/wscore"

# Programs that run both ends, and their output.
ALONE = {
    "async_callbacks.py": ["copper: 9870, at once", "tin: 31245, later"],
    "async_iteration.py": ["copper: 6 characters", "tin: 3 characters", "the client is gone"],
    "auto_ping.py": [
        "the client is there",
        "the client is there",
        "the server gave up: 1011 no pong within 0.2 seconds",
    ],
    "broadcast.py": ["said: good evening - missed by 0", "100 heard it"],
    "compressed_messages.py": [
        "agreed on: permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        "you asked for the stock of last year",
        "bytes: 3000000",
    ],
    "fragmented_message.py": [
        "TEXT message: a message in three frames",
        "server says: thanks",
    ],
    "slow_client.py": [
        "the producer had to wait: True",
        "no more than the limit and one message waited: True",
        "received 25600 KiB",
    ],
    "subprotocol.py": [
        "agreed on: chat.v2",
        "refused: b'speak chat.v1 or chat.v2'",
    ],
    "threads.py": ["20 were told", "all gone"],
}
# Programs that the tests below connect to.
SERVED = {
    "echo_client.py",
    "echo_server.py",
    "graceful_shutdown.py",
    "health_check.py",
    "reconnecting_client.py",
    "roundtrip_time.py",
}

ECHO_SERVER = f"{EXAMPLES}/echo_server.py"
ECHO_CLIENT = f"{EXAMPLES}/echo_client.py"

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@LOOPS
@pytest.mark.parametrize("name", ALONE)
def test_program(name: str, loop: str) -> None:
    if name == "async_callbacks.py" and sys.version_info < (3, 12):
        pytest.skip(lacking("eager tasks before Python 3.12"))
    if name == "threads.py" and sys.platform != "linux":
        pytest.skip(lacking("connections dealt out among the sockets of one port"))
    assert run(f"{EXAMPLES}/{name}", loop=loop).splitlines() == ALONE[name]


@LOOPS
def test_echo(loop: str) -> None:
    with running(ECHO_SERVER, 0, loop=loop) as serving:
        url = line_of(serving)
        printed = run(ECHO_CLIENT, url, loop=loop).splitlines()
        assert printed[0] == "echo: Grüße, server"
        assert printed[1].startswith("closed: WSCloseHandshake(recv=WSCloseInfo(code=")
        assert line_of(serving).startswith("connected: ('127.0.0.1', ")
        assert line_of(serving).endswith("recv_then_sent=True)")


@LOOPS
def test_roundtrip_time(loop: str) -> None:
    attempt = r"attempt {}: best of 5 round trips \d+\.\d{{3}} ms"
    with server(ECHO_SERVER, 0) as url:
        quick = run(f"{EXAMPLES}/roundtrip_time.py", url, 60_000, loop=loop).splitlines()
        slow = run(f"{EXAMPLES}/roundtrip_time.py", url, 0, 2, loop=loop).splitlines()
    assert re.fullmatch(attempt.format(1), quick[0])
    assert quick[1:] == ["quick enough"]
    assert re.fullmatch(attempt.format(1), slow[0])
    assert re.fullmatch(attempt.format(2), slow[1])
    assert slow[2:] == ["gave up: no round trip within 0 ms"]


@LOOPS
def test_reconnecting_client(loop: str) -> None:
    port = free_port()
    with running(
        f"{EXAMPLES}/reconnecting_client.py", f"ws://127.0.0.1:{port}/echo", loop=loop
    ) as client:
        assert line_of(client) == "failed: ConnectionRefusedError"
        for _ in range(2):
            with server(ECHO_SERVER, port):
                skip_failures(client, "connected")
            assert line_of(client) == "lost"
        client.send_signal(signal.SIGINT)
        skip_failures(client, "stopped")
        assert client.wait() == 0


@LOOPS
def test_reconnecting_client_gives_up(loop: str, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        server(ECHO_SERVER, 0) as url,
        running(f"{EXAMPLES}/reconnecting_client.py", f"{url}/nowhere", loop=loop) as client,
    ):
        assert line_of(client) == ""
        assert client.wait() == 1
    assert "WSInvalidStatusError: " in capfd.readouterr().err


def skip_failures(client: subprocess.Popen[str], awaited: str) -> None:
    """Read up to a line; a program may need several attempts to connect until then."""
    said = "failed: ConnectionRefusedError"
    while said == "failed: ConnectionRefusedError":
        said = line_of(client)
    assert said == awaited


@LOOPS
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_graceful_shutdown(how: signal.Signals, loop: str) -> None:
    with running(f"{EXAMPLES}/graceful_shutdown.py", 0, loop=loop) as serving:
        url = line_of(serving)
        with running(f"{EXAMPLES}/reconnecting_client.py", url, loop=loop) as client:
            assert line_of(client) == "connected"
            serving.send_signal(how)
            assert line_of(serving) == "closing 1 connections"
            assert line_of(client) == "lost"
            assert line_of(serving) == "done"
            assert serving.wait() == 0


@LOOPS
def test_health_check(loop: str) -> None:
    with server(f"{EXAMPLES}/health_check.py", 0, loop=loop) as place:
        with urllib.request.urlopen(f"http://{place}/health?now", timeout=20) as response:
            assert (response.status, response.read()) == (200, b"well\n")
            assert response.headers["Cache-Control"] == "no-store"
        for path in ("", "echo?room=1"):  # the first one redirects to the second
            assert "echo: Grüße, server" in run(ECHO_CLIENT, f"ws://{place}/{path}", loop=loop)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{place}/other", timeout=20)


@LOOPS
def test_readme(loop: str, tmp_path: Path) -> None:
    """The programs of the package's README, with another port."""
    blocks = code_blocks(ROOT / "packages" / "wscore" / "README.md", free_port())
    for name, code in zip(("server.py", "client.py"), blocks, strict=True):
        tmp_path.joinpath(name).write_text(code, "utf-8")
    with running(str(tmp_path / "server.py"), loop=loop) as serving:
        assert line_of(serving).startswith("Listening on ('127.0.0.1', ")
        assert run(str(tmp_path / "client.py"), loop=loop) == "Echo reply: Hello world\n"


def code_blocks(readme: Path, port: int) -> tuple[str, str]:
    """Return the server and the client, unchanged except for the port."""
    blocks = [part.split("```")[0] for part in readme.read_text("utf-8").split("```python\n")[1:]]
    (serving,) = (block for block in blocks if "ws_create_server(" in block)
    (client,) = (block for block in blocks if "ws_connect(" in block)
    assert len(blocks) == 2
    return serving.replace("9001", str(port)), client.replace("9001", str(port))


def test_every_example_is_run_and_listed() -> None:
    programs = {path.name for path in (ROOT / EXAMPLES).glob("*.py")}
    assert programs == {*ALONE, *SERVED}
    readme = ROOT.joinpath("packages", "wscore", "README.md").read_text("utf-8")
    assert {name for name in programs if f"`wscore/{name}`" not in readme} == set()
