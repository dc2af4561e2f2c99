"""The examples do what they say: streams through every kind of proxy, and aiohttp through one."""

import asyncio
import importlib.util
import subprocess

import pytest

from tests.support.own_proxies import serving
from tests.support.programs import run
from tests.support.real_proxies import RealProxy, free_port
from tests.support.skips import lacking

STREAMS = "examples/wsproxy/streams.py"
AIOHTTP = "examples/wsproxy/aiohttp_session.py"


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())


async def serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    host = next(line for line in head.splitlines() if line.lower().startswith("host:"))
    page = f"{head.split()[1]} {host}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))


async def test_streams(http_proxy: RealProxy, socks_proxy: RealProxy) -> None:
    http, socks = f"http://127.0.0.1:{http_proxy.port}", f"socks5://127.0.0.1:{socks_proxy.port}"
    async with serving(shout) as port:
        for proxy in (http, socks, f"{http},{socks}"):
            told = await asyncio.to_thread(run, STREAMS, proxy, "127.0.0.1", port, "hello")
            assert told == "HELLO\n"


def test_streams_without_a_proxy_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(STREAMS, f"http://127.0.0.1:{free_port()}", "localhost", 1, "hello")
    assert "no tunnel: proxy http://127.0.0.1:" in capfd.readouterr().err


@pytest.mark.skipif(
    importlib.util.find_spec("aiohttp") is None,
    reason=lacking("aiohttp, which nothing but this example needs"),
)
async def test_aiohttp(http_proxy: RealProxy, socks_proxy: RealProxy) -> None:
    async with serving(serve_page) as port:
        for proxy in (
            f"http://127.0.0.1:{http_proxy.port}",
            f"socks5://127.0.0.1:{socks_proxy.port}",
        ):
            url = f"http://localhost:{port}/page"
            told = await asyncio.to_thread(run, AIOHTTP, proxy, url)
            assert told == f"200 /page Host: localhost:{port}\n"
