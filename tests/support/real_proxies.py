"""Starts real proxies on loopback: tinyproxy, squid, microsocks, dante, ssh, as Debian has them.

A program that is not installed makes the test skip and say so.
"""

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.skips import lacking

# How long a proxy may take to accept connections after it was started.
START_SECONDS = 10.0


@dataclass(frozen=True)
class RealProxy:
    """A running proxy.

    Attributes:
        port: on 127.0.0.1.
        tls_port: the same with TLS, if the proxy has that.
        log: what it has written, for a test that wants to know what it was asked.
    """

    port: int
    log: Path
    tls_port: int = 0


def free_port() -> int:
    """Return a port nobody listens on at the moment.

    It is none of those that the system hands out by itself, which other tests may get before a
    program has been started with it.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def installed(program: str) -> str:
    """Return the program's path, or skip the test."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[RealProxy]:
    """Run a proxy in the foreground until the block ends."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )
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


@contextlib.contextmanager
def squid(certificate: Path, credentials: tuple[str, str]) -> Iterator[RealProxy]:
    """Run an HTTP proxy that wants digest authentication, on a plain and on a TLS port.

    Args:
        certificate: PEM file with the server's certificate and key.
        credentials: user name and password.
    """
    program, helper = installed("squid"), Path("/usr/lib/squid/digest_file_auth")
    if not helper.exists():
        pytest.skip("squid's digest_file_auth is not installed")
    port, tls_port = free_port(), free_port()
    # Its helper runs as another user, to whom the folders that pytest makes are closed.
    with tempfile.TemporaryDirectory(prefix="squid-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(certificate, folder / "server.pem")
        (folder / "users").write_text(":".join(credentials) + "\n")
        for file in folder.iterdir():
            file.chmod(0o644)
        config = folder / "squid.conf"
        config.write_text(
            f"""
http_port 127.0.0.1:{port}
https_port 127.0.0.1:{tls_port} tls-cert={folder}/server.pem
auth_param digest program {helper} {folder}/users
auth_param digest realm a realm
auth_param digest children 1 startup=0 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 0 MB
access_log none
cache_log /dev/null
pid_filename none
coredump_dir {folder}
shutdown_lifetime 0 seconds
visible_hostname localhost
pinger_enable off
"""
        )
        # The name keeps its shared memory apart from that of other squids.
        command = [program, "-N", "-n", f"test{os.getpid()}", "-f", str(config)]
        with running(command, port, folder) as proxy:
            yield RealProxy(port, proxy.log, tls_port)


@contextlib.contextmanager
def dante(folder: Path, user: tuple[str, str] | None = None) -> Iterator[RealProxy]:
    """Run a SOCKS4, SOCKS4a and SOCKS5 proxy.

    Args:
        folder: for its configuration and log.
        user: name and hashed password of the one user that may use it, with SOCKS5; None to let
            everybody.
    """
    program = installed("danted")
    if os.geteuid() != 0:
        pytest.skip(lacking("the right to start dante, which root has"))
    port = free_port()
    config = folder / "danted.conf"
    config.write_text(
        f"""
logoutput: stdout
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: {"username" if user else "none"}
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.1/32 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.1/32 to: 0.0.0.0/0 protocol: tcp }}
socks pass {{ from: 127.0.0.1/32 to: ::/0 protocol: tcp }}
"""
    )
    environment = {} if user is None else _other_users(folder, *user)
    with running([program, "-f", str(config)], port, folder, environment) as proxy:
        yield proxy


@contextlib.contextmanager
def openssh(folder: Path) -> Iterator[RealProxy]:
    """Run `ssh -D`, a SOCKS4, SOCKS4a and SOCKS5 proxy, which does not reply when it refuses.

    Its server runs at the other end of a pipe, and nobody else is let in: the keys are made here.
    """
    programs = {name: installed(name) for name in ("ssh", "ssh-keygen", "sshd")}
    for key in ("host", "user"):
        command = [programs["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True)
    config = folder / "sshd_config"
    config.write_text(
        f"""
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
PidFile none
"""
    )
    port = free_port()
    options = {
        "ProxyCommand": f"{programs['sshd']} -i -f {config}",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": f"{folder}/known",
        "ExitOnForwardFailure": "yes",
    }
    command = [programs["ssh"], "-N", "-F", "none", "-i", str(folder / "user")]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    command += ["-D", f"127.0.0.1:{port}", f"{getpass.getuser()}@here"]
    if os.geteuid() == 0:
        # As root sshd wants a folder that exists only while the system's own one runs, so it gets
        # a /run of its own.
        if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode:
            pytest.skip(lacking("the right to make a mount namespace"))
        script = 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", *command]
    with running(command, port, folder) as proxy:
        yield proxy


def _other_users(folder: Path, name: str, hashed: str) -> dict[str, str]:
    """Return what makes a program take one user for an account of the system, which it is not."""
    library = next(Path("/usr/lib").glob("*/libnss_wrapper.so"), None)
    if library is None:
        pytest.skip("libnss-wrapper is not installed")
    accounts = {
        "PASSWD": "root:x:0:0::/:\nnobody:x:65534:65534::/:\n" + f"{name}:x:60999:65534::/:\n",
        "GROUP": "root:x:0:\nnogroup:x:65534:\n",
        "SHADOW": f"{name}:{hashed}:19000:0:99999:7:::\n",
    }
    environment = {"LD_PRELOAD": str(library)}
    for kind, lines in accounts.items():
        file = folder / kind.lower()
        file.write_text(lines)
        environment[f"NSS_WRAPPER_{kind}"] = str(file)
    return environment
