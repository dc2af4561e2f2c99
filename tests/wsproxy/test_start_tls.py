"""TLS around a connection: once and twice, refused, interrupted, and cancelled at every step."""

import asyncio
import ssl

import pytest

from tests.support.own_proxies import carry, echo, serving, silent
from tests.support.tls import Tls
from wsproxy.dial import dial
from wsproxy.start_tls import start_tls
from wsproxy.stream import SocketStream
from wsproxy.target import parse_target


async def connected(port: int) -> SocketStream:
    return SocketStream(await dial(parse_target("127.0.0.1", port)))


async def nested(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a tunnel to the port that the first line names."""
    port = int((await reader.readexactly(6)).strip())
    await carry(reader, writer, port)


async def test_once(tls: Tls) -> None:
    async with serving(echo, tls=tls.server) as port:
        stream = await start_tls(await connected(port), tls.client, "localhost")
        await stream.send(b"x")
        assert await stream.receive(6) == b"hello\n"
        assert await stream.receive(6) == b"x"
        stream.abort()


async def test_twice(tls: Tls) -> None:
    async with serving(echo, tls=tls.server) as target, serving(nested, tls=tls.server) as port:
        outer = await start_tls(await connected(port), tls.client, "localhost")
        await outer.send(b"%5d\n" % target)
        inner = await start_tls(outer, tls.client, "localhost")
        assert await inner.receive(100) == b"hello\n"
        data = b"x" * 300_000
        await inner.send(data)
        received = 0
        while received < len(data):
            received += len(await inner.receive(65536))
        inner.abort()


@pytest.mark.parametrize("name", ["localhost", "elsewhere.example"])
async def test_a_certificate_that_is_not_good_enough(tls: Tls, name: str) -> None:
    context = tls.client if name != "localhost" else tls.stranger
    async with serving(echo, tls=tls.server) as port:
        stream = await connected(port)
        with pytest.raises(ssl.SSLCertVerificationError):
            await start_tls(stream, context, name)
        stream.abort()


async def test_the_inner_certificate_is_checked_too(tls: Tls) -> None:
    async with serving(echo, tls=tls.server) as target, serving(nested, tls=tls.server) as port:
        outer = await start_tls(await connected(port), tls.client, "localhost")
        await outer.send(b"%5d\n" % target)
        with pytest.raises(ssl.SSLCertVerificationError):
            await start_tls(outer, tls.client, "elsewhere.example")
        outer.abort()


@pytest.mark.parametrize("timeout", [0.05, 0])
async def test_a_handshake_that_takes_too_long(timeout: float) -> None:
    async with serving(silent) as port:
        stream = await connected(port)
        with pytest.raises(ConnectionAbortedError, match=f"within {timeout:g} s"):
            await start_tls(stream, ssl.create_default_context(), "localhost", timeout)


async def test_a_deadline_of_the_callers_stays_a_timeout() -> None:
    async with serving(silent) as port:
        stream = await connected(port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await start_tls(stream, ssl.create_default_context(), "localhost", 60)


async def test_a_peer_without_tls() -> None:
    async with serving(echo) as port:
        stream = await connected(port)
        with pytest.raises(ssl.SSLError):
            await start_tls(stream, ssl.create_default_context(), "localhost")
        stream.abort()


async def test_a_peer_that_speaks_before_the_inner_handshake(tls: Tls) -> None:
    async with serving(echo, tls=tls.server) as port:
        outer = await start_tls(await connected(port), tls.client, "localhost")
        outer.give_back(await outer.receive(100))
        with pytest.raises(ssl.SSLError):
            await start_tls(outer, tls.client, "localhost")
        outer.abort()


async def test_a_peer_that_hangs_up() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with serving(handler) as port:
        stream = await connected(port)
        with pytest.raises(OSError):
            await start_tls(stream, ssl.create_default_context(), "localhost")
        stream.abort()


async def test_a_peer_that_hangs_up_before_the_inner_handshake(tls: Tls) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with serving(handler, tls=tls.server) as port:
        outer = await start_tls(await connected(port), tls.client, "localhost")
        await outer.send(b"x")
        assert await outer.receive(1) == b""
        with pytest.raises(OSError):
            await start_tls(outer, tls.client, "localhost")
        outer.abort()


@pytest.mark.parametrize("levels", [1, 2])
async def test_cancelled_at_every_step(tls: Tls, levels: int) -> None:
    async def build(port: int, target: int, streams: list[SocketStream]) -> None:
        streams.append(await connected(port))
        stream = await start_tls(streams[0], tls.client, "localhost")
        streams.append(stream)  # type: ignore[arg-type]
        if levels == 2:
            await stream.send(b"%5d\n" % target)
            streams.append(await start_tls(stream, tls.client, "localhost"))  # type: ignore[arg-type]

    first = nested if levels == 2 else echo
    async with serving(echo, tls=tls.server) as target, serving(first, tls=tls.server) as port:
        # Not each turn: at some of them nothing has changed since the one before.
        for turns in range(0, 10_000, 3):
            streams: list[SocketStream] = []
            task = asyncio.create_task(build(port, target, streams))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=10)
            assert done
            if streams:
                streams[-1].abort()
            if not task.cancelled():
                await task
                break
        else:
            pytest.fail("the handshake was never done")


async def test_silence_is_the_callers_to_end() -> None:
    async with serving(silent) as port:
        stream = await connected(port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await start_tls(stream, ssl.create_default_context(), "localhost")
        stream.abort()
