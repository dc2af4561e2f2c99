"""Starts real proxies on loopback: tinyproxy and microsocks, as a system package installs them.

A program that is not installed makes the test skip and say so.
"""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

# How long a proxy may take to accept connections after it was started.
START_SECONDS = 10.0


@dataclass(frozen=True)
class RealProxy:
    """A running proxy.

    Attributes:
        port: on 127.0.0.1.
        log: what it has written, for a test that wants to know what it was asked.
    """

    port: int
    log: Path


def free_port() -> int:
    """Return a port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def installed(program: str) -> str:
    """Return the program's path, or skip the test."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextlib.contextmanager
def running(command: Sequence[str], port: int, folder: Path) -> Iterator[RealProxy]:
    """Run a proxy in the foreground until the block ends."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_until_accepting(process, port, log)
            yield RealProxy(port, log)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _wait_until_accepting(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not accept connections: {log.read_text()}")


@contextlib.contextmanager
def tinyproxy(folder: Path, credentials: str | None = None) -> Iterator[RealProxy]:
    """Run an HTTP proxy; credentials are `user password`."""
    program = installed("tinyproxy")
    port = free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 30", "LogLevel Info"]
    if credentials is not None:
        lines.append(f"BasicAuth {credentials}")
    config = folder / "tinyproxy.conf"
    config.write_text("\n".join(lines) + "\n")
    with running([program, "-d", "-c", str(config)], port, folder) as proxy:
        yield proxy


@contextlib.contextmanager
def microsocks(folder: Path, credentials: tuple[str, str] | None = None) -> Iterator[RealProxy]:
    """Run a SOCKS5 proxy, with or without a user name and password."""
    program = installed("microsocks")
    port = free_port()
    command = [program, "-i", "127.0.0.1", "-p", str(port)]
    if credentials is not None:
        command += ["-u", credentials[0], "-P", credentials[1]]
    with running(command, port, folder) as proxy:
        yield proxy
