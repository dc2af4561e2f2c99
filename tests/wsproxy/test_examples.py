"""The examples do what they say: streams through every kind of proxy, and aiohttp through one."""

import asyncio
import importlib.util
import subprocess
from collections.abc import Iterable

import pytest

from tests.support.own_proxies import serving
from tests.support.programs import run
from tests.support.proxy_fixtures import way
from tests.support.real_proxies import free_port
from tests.support.skips import lacking
from tests.support.tls import Tls

STREAMS = "examples/wsproxy/streams.py"
AIOHTTP = "examples/wsproxy/aiohttp_session.py"


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())


async def serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    host = next(line for line in head.splitlines() if line.lower().startswith("host:"))
    page = f"{head.split()[1]} {host}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))


@pytest.fixture
def proxies(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tls: Tls
) -> dict[str, str]:
    """Return the URL of a real proxy of each kind; the programs trust the one with TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca_file))
    return {name: way(request, name) for name in ("tinyproxy", "microsocks", "squid-tls")}


async def told(program: str, proxies: Iterable[str], *arguments: object) -> set[str]:
    """Return what a program prints, run at the same time with each of the proxies."""
    runs = (asyncio.to_thread(run, program, proxy, *arguments) for proxy in proxies)
    return set(await asyncio.gather(*runs))


async def test_streams(proxies: dict[str, str]) -> None:
    ways = [proxies["tinyproxy"], ",".join(proxies.values())]
    async with serving(shout) as port:
        assert await told(STREAMS, ways, "127.0.0.1", port, "hello") == {"HELLO\n"}


def test_streams_without_a_proxy_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(STREAMS, f"http://127.0.0.1:{free_port()}", "localhost", 1, "hello")
    assert "no tunnel: cannot connect to proxy http://127.0.0.1:" in capfd.readouterr().err


@pytest.mark.skipif(
    importlib.util.find_spec("aiohttp") is None,
    reason=lacking("aiohttp, which nothing but this example needs"),
)
async def test_aiohttp(proxies: dict[str, str]) -> None:
    async with serving(serve_page) as port:
        url = f"http://localhost:{port}/page"
        expected = f"200 /page Host: localhost:{port}\n"
        ways = [proxies["microsocks"], proxies["squid-tls"]]
        assert await told(AIOHTTP, ways, url) == {expected}
