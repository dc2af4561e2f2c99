"""The programs of the how-to pages do what these say."""

import subprocess
from pathlib import Path

import pytest
import trustme

from tests.support.programs import run, server
from tests.support.real_proxies import free_port, microsocks, tinyproxy
from tests.support.tls import Tls


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_tls(tls: Tls, loop: str) -> None:
    with server("examples/howto/tls_server.py", 0, tls.cert_file, loop=loop) as url:
        printed = run("examples/howto/tls_client.py", url, tls.ca_file, "žluťoučký", loop=loop)
    assert printed == "žluťoučký\n"


def test_tls_with_another_authority(
    tls: Tls, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with (
        server("examples/howto/tls_server.py", 0, tls.cert_file) as url,
        pytest.raises(subprocess.CalledProcessError),
    ):
        run("examples/howto/tls_client.py", url, other, "x")
    assert "CERTIFICATE_VERIFY_FAILED" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_through_a_proxy(kind: str, tmp_path: Path) -> None:
    start = {"http": tinyproxy, "socks5": microsocks}[kind]
    with start(tmp_path) as proxy, server("examples/tutorial/core_server.py", 0) as url:
        through = f"{kind}://127.0.0.1:{proxy.port}"
        printed = run("examples/howto/through_proxy.py", url, through, "hello")
    assert printed == "HELLO\n"


def test_through_a_proxy_that_is_not_there() -> None:
    with (
        server("examples/tutorial/core_server.py", 0) as url,
        pytest.raises(subprocess.CalledProcessError),
    ):
        run("examples/howto/through_proxy.py", url, f"socks5://127.0.0.1:{free_port()}", "hello")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_extension(loop: str) -> None:
    agreed, message = run("examples/howto/checksum.py", "hello", loop=loop).splitlines()
    assert agreed.startswith("x-checksum, permessage-deflate")
    assert message == "hello"


@pytest.mark.parametrize("server_of", ["core", "compat"])
def test_without_io(server_of: str) -> None:
    with server(f"examples/tutorial/{server_of}_server.py", 0) as url:
        assert run("examples/howto/without_io.py", url, "hello") == "HELLO\n1000\n"
