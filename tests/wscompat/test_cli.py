"""The command, as its user runs it: in a terminal, with pipes, with files."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.libraries import BOUND, WSCOMPAT, serving, uri_of
from tests.wscompat.terminal import COLUMNS, terminal

PROMPT = ">" + "open".rjust(COLUMNS - 1)
COMMAND = (str(Path(sys.executable).with_name("wscompat")),)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user whose home is a folder."""
    names = ("PATH", "COVERAGE_PROCESS_START")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}


async def echo(websocket: Any) -> None:
    """Answer every message; do what some of them say."""
    async for message in websocket:
        match message:
            case "binary":
                await websocket.send(b"\x00\xff")
            case "close":
                await websocket.close(1001, "bye")
            case "fail":
                await websocket.close(1011, "no")
            case "evil":
                await websocket.send("\x1b[2J\x07a\x9bb\ttab")
            case "drop":
                websocket.transport.abort()
            case _:
                await websocket.send(message)


@contextlib.asynccontextmanager
async def running(
    *arguments: str, env: dict[str, str], **pipes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command with pipes."""
    pipe = asyncio.subprocess.PIPE
    pipes = {"stdin": pipe, "stdout": pipe, "stderr": pipe, **pipes}
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, env=env, **pipes)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(*arguments: str, env: dict[str, str], **pipes: Any) -> tuple[int, str, str]:
    """Run the command to its end: status, output, errors. `text` is its input, if given."""
    text = pipes.pop("text", None)
    async with running(*arguments, env=env, **pipes) as process, asyncio.timeout(BOUND):
        output, errors = await process.communicate(None if text is None else text)
    assert process.returncode is not None
    return process.returncode, (output or b"").decode(), errors.decode()


@pytest.mark.parametrize("text", [b"a\n\nb c\r\n\xc3\xa9", b"a\n\nb c\n\xc3\xa9\n"])
async def test_pipes(tmp_path: Path, text: bytes) -> None:
    async with serving(WSCOMPAT, echo) as server:
        uri = uri_of(server)
        result = await run(uri, env=environment(tmp_path), text=text)
    assert result == (
        0,
        "a\n\nb c\né\n",
        f"Connected to {uri}.\nConnection closed: 1000 (OK).\n",
    )
    assert not list(tmp_path.iterdir())


async def test_files(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(5000))
    (tmp_path / "input").write_text(lines)
    async with serving(WSCOMPAT, echo, max_queue=None) as server:
        with (tmp_path / "input").open() as stdin, (tmp_path / "output").open("w") as stdout:
            status, _, _ = await run(
                uri_of(server), env=environment(tmp_path), stdin=stdin, stdout=stdout
            )
    assert status == 0
    assert (tmp_path / "output").read_text() == lines


async def test_output_comes_at_once(tmp_path: Path) -> None:
    async with (
        serving(WSCOMPAT, echo) as server,
        running(uri_of(server), env=environment(tmp_path)) as process,
        asyncio.timeout(BOUND),
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for text in (b"one\n", b"two\n", b"binary\n"):
            process.stdin.write(text)
            expected = b"00ff\n" if text == b"binary\n" else text
            assert await process.stdout.readline() == expected
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (b"close\n", 0, "Connection closed: 1001 (going away) bye."),
        (b"fail\n", 1, "Connection closed: 1011 (internal error) no."),
        (b"drop\n", 1, "Connection closed: 1006 (abnormal closure [internal])."),
        (b"\xff\n", 1, "The input is not UTF-8."),
    ],
)
async def test_ends(tmp_path: Path, text: bytes, status: int, said: str) -> None:
    """The connection's end is the command's, though its input goes on."""
    async with (
        serving(WSCOMPAT, echo) as server,
        running(uri_of(server), env=environment(tmp_path)) as process,
        asyncio.timeout(BOUND),
    ):
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(text)
        assert await process.wait() == status
        assert said in (await process.stderr.read()).decode().splitlines()


async def test_linger(tmp_path: Path) -> None:
    """Without more input, messages go on coming."""
    done = asyncio.Event()

    async def handler(websocket: Any) -> None:
        await websocket.recv()
        await websocket.send("first")
        async with asyncio.timeout(BOUND):
            await websocket.ping()
            await done.wait()
        await websocket.send("second")

    async with (
        serving(WSCOMPAT, handler) as server,
        running(uri_of(server), "--linger", "60", env=environment(tmp_path)) as process,
        asyncio.timeout(BOUND),
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"x")
        process.stdin.close()
        assert await process.stdout.readline() == b"first\n"
        done.set()
        assert await process.stdout.readline() == b"second\n"
        assert await process.wait() == 0


async def test_no_connection(tmp_path: Path) -> None:
    env = environment(tmp_path)
    async with serving(WSCOMPAT, echo) as server:
        uri = uri_of(server)
    status, output, errors = await run(uri, env=env)
    assert (status, output) == (1, "")
    assert errors.startswith(f"Failed to connect to {uri}: [Errno 111] Connect call failed ")
    status, _, errors = await run("http://localhost/", env=env)
    assert (status, errors.count("isn't a valid URI")) == (1, 1)


async def test_insecure(tmp_path: Path, tls: Tls) -> None:
    env = environment(tmp_path)
    async with serving(WSCOMPAT, echo, ssl=tls.server) as server:
        uri = uri_of(server, secure=True)
        status, _, errors = await run(uri, env=env, text=b"x\n")
        assert (status, errors.count("certificate verify failed")) == (1, 1)
        status, output, _ = await run("--insecure", uri, env=env, text=b"x\n")
        assert (status, output) == (0, "x\n")
    async with serving(WSCOMPAT, echo) as server:
        status, output, _ = await run("--insecure", uri_of(server), env=env, text=b"x\n")
        assert (status, output) == (0, "x\n")


def test_version_and_usage() -> None:
    def call(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr

    assert call("--version") == (0, "wscompat 0.1.0\n", "")
    status, output, _ = call("--help")
    assert (status, output.startswith("usage: wscompat ")) == (0, True)
    for arguments in ([], ["--nonsense"], ["ws://a", "ws://b"]):
        status, output, errors = call(*arguments)
        assert (status, output) == (2, "")
        assert errors.startswith("usage: wscompat ")


async def test_the_reader_of_the_output_goes_away(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        async with (
            serving(WSCOMPAT, echo) as server,
            running(uri_of(server), env=environment(tmp_path), stdout=writing) as process,
            asyncio.timeout(BOUND),
        ):
            os.close(reading)
            assert process.stdin is not None
            assert process.stderr is not None
            process.stdin.write(b"x\n")
            assert await process.wait() == 1
            assert b"Traceback" not in await process.stderr.read()
    finally:
        os.close(writing)


async def test_interrupt(tmp_path: Path) -> None:
    async with (
        serving(WSCOMPAT, echo) as server,
        running(uri_of(server), env=environment(tmp_path)) as process,
        asyncio.timeout(BOUND),
    ):
        assert process.stderr is not None
        assert (await process.stderr.readline()).startswith(b"Connected")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert await process.stderr.read() == b""


async def test_terminal(tmp_path: Path) -> None:
    """A session: messages come in above the line that is being typed."""
    connections: list[Any] = []

    async def handler(websocket: Any) -> None:
        connections.append(websocket)
        await echo(websocket)

    async with serving(WSCOMPAT, handler) as server:
        uri = uri_of(server)
        async with terminal(*COMMAND, uri, env=environment(tmp_path)) as screen:
            await screen.until(lambda lines: PROMPT in lines)
            assert screen.lines[:2] == [f"Connected to {uri}.", PROMPT]
            screen.press(b"hello\r")
            await screen.until(lambda lines: "< hello" in lines)
            screen.press(b"half a wo")
            await screen.until(lambda lines: lines[-1].startswith("> half a wo "))
            for number in range(3):
                await connections[0].send(f"message {number}")
                await screen.until(lambda lines, n=number: f"< message {n}" in lines)  # type: ignore[misc]
            await connections[0].send(b"\x01\x02")
            await screen.until(lambda lines: "< (binary) 0102" in lines)
            screen.press(b"rd\r")
            expected = [
                *("> hello", "< hello", "< message 0", "< message 1", "< message 2"),
                *("< (binary) 0102", "> half a word", "< half a word", PROMPT),
            ]
            await screen.until(lambda lines: lines[1:] == expected)
            screen.press(b"\x1b[A\x1b[A\r")  # twice the key for the line before
            await screen.until(lambda lines: lines.count("< hello") == 2)
            screen.press(b"\x04")
            async with asyncio.timeout(BOUND):
                assert await screen.process.wait() == 0
            await screen.until(lambda lines: "Connection closed: 1000 (OK)." in lines)
            assert b"\x1b[32m" in screen.drawn  # colours


async def test_terminal_and_the_end_of_the_connection(tmp_path: Path) -> None:
    for sent, status, said in (("close", 0, "1001 (going away) bye"), ("fail", 1, "1011 ")):
        async with serving(WSCOMPAT, echo) as server:
            uri = uri_of(server)
            async with terminal(*COMMAND, uri, env=environment(tmp_path)) as screen:
                await screen.until(lambda lines: PROMPT in lines)
                screen.press(sent.encode() + b"\r")
                async with asyncio.timeout(BOUND):
                    assert await screen.process.wait() == status
                await screen.until(lambda lines: f"closed: {said}" in "\n".join(lines))  # noqa: B023


async def test_terminal_is_not_controlled_by_the_server(tmp_path: Path) -> None:
    env = environment(tmp_path, NO_COLOR="1")
    async with (
        serving(WSCOMPAT, echo) as server,
        terminal(*COMMAND, uri_of(server), env=env) as screen,
    ):
        await screen.until(lambda lines: PROMPT in lines)
        screen.press(b"evil\r")
        await screen.until(lambda lines: any(line.startswith("< ") for line in lines))
        (shown,) = [line for line in screen.lines if line.startswith("< ")]
        assert shown.split() == ["<", r"\x1b[2J\x07a\x9bb", "tab"]
        assert b"\x1b[32m<" not in screen.drawn  # nor colours, as the environment wants
        screen.press(b"\x03")
        async with asyncio.timeout(BOUND):
            assert await screen.process.wait() == 0


async def test_history_is_kept_for_its_owner(tmp_path: Path) -> None:
    async def session(keys: bytes, shown: str, *arguments: str) -> None:
        async with (
            serving(WSCOMPAT, echo) as server,
            terminal(*COMMAND, uri_of(server), *arguments, env=environment(tmp_path)) as screen,
        ):
            await screen.until(lambda lines: PROMPT in lines)
            screen.press(keys)
            await screen.until(lambda lines: shown in lines)
            screen.press(b"\x04")
            async with asyncio.timeout(BOUND):
                await screen.process.wait()

    await session(b"secret\r", "< secret", "--no-history")
    file = tmp_path / ".local" / "state" / "wscompat" / "history"
    assert not file.exists()
    await session(b"kept\r", "< kept")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await session(b"\x1b[A\r", "< kept")


async def test_output_to_a_terminal_with_input_from_elsewhere(tmp_path: Path) -> None:
    async with serving(WSCOMPAT, echo) as server:
        line = f"printf 'evil\\nbinary\\n' | {COMMAND[0]} {uri_of(server)}"
        async with terminal("/bin/sh", "-c", line, env=environment(tmp_path)) as screen:
            async with asyncio.timeout(BOUND):
                await screen.process.wait()
            await screen.until(lambda lines: "Connection closed: 1000 (OK)." in lines)
            assert "< (binary) 00ff" in screen.lines
            assert any(r"\x1b[2J" in line for line in screen.lines)
