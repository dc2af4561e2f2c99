"""Opening connections: failures at each step, which leave nothing behind.

The fixture `no_leaks` asserts that no task, socket or unhandled exception is left.
"""

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.support.garbage import no_cycles_of
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.pairs import Setting, serving
from tests.wscore.raw_peer import BOUND, RawPeer, accepting, free_port
from tests.wscore.recorder import Recorder
from wscore import (
    WSError,
    WSHandshakeError,
    WSInvalidStatusError,
    WSInvalidURL,
    WSListener,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    ws_connect,
)


async def silent(peer: RawPeer) -> None:
    """Read, and send nothing."""
    await peer.read_to_end()


# Failing connections


async def test_refused_connection(both: Setting) -> None:
    with pytest.raises(ConnectionRefusedError):
        await ws_connect(Recorder, both.url(free_port()), **both.client_options)


async def test_name_that_does_not_exist() -> None:
    with pytest.raises(OSError):
        await ws_connect(Recorder, "ws://does-not-exist.invalid/")


async def test_server_that_is_not_trusted(tls: Tls) -> None:
    listener = Recorder()
    async with serving(Setting("server", tls), lambda _: listener) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await ws_connect(Recorder, f"wss://127.0.0.1:{port}/")
    assert listener.events == []


async def test_certificate_for_another_name(tls: Tls) -> None:
    async with serving(Setting("server", tls), lambda _: Recorder()) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await ws_connect(
                Recorder,
                f"wss://127.0.0.1:{port}/",
                ssl_context=tls.client,
                server_hostname="example.com",
            )


async def test_tls_to_a_plain_server(tls: Tls) -> None:
    async with serving(Setting("server", None), lambda _: Recorder()) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ws_connect(Recorder, f"wss://127.0.0.1:{port}/", ssl_context=tls.client)


async def test_plain_to_a_tls_server(tls: Tls) -> None:
    async with serving(Setting("server", tls), lambda _: Recorder()) as port:
        with pytest.raises((WSHandshakeError, ConnectionError)):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/")


async def test_connection_reset_instead_of_an_answer() -> None:
    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        peer.reset()

    async with accepting(script) as port:
        with pytest.raises((ConnectionResetError, WSHandshakeError)):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/")


# Timeouts


async def test_timeout(both: Setting) -> None:
    async with accepting(silent, both.tls and both.tls.server) as port:
        with pytest.raises(TimeoutError, match="handshake"):
            await ws_connect(
                Recorder, both.url(port), websocket_handshake_timeout=0.05, **both.client_options
            )


async def test_timeout_of_an_answer_that_drips() -> None:
    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        while not peer.writer.is_closing():
            await peer.send(b"HTTP/1.1 101 Switching"[:1])
            await asyncio.sleep(0.01)
            if peer.reader.at_eof():
                return

    async with accepting(script) as port:
        with pytest.raises((TimeoutError, WSHandshakeError)):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/", websocket_handshake_timeout=0.1)


@pytest.mark.parametrize("line", [b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_timeout_while_lines_keep_coming(line: bytes) -> None:
    """There is one timeout for all of it, even while data arrives."""

    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        ended = asyncio.ensure_future(peer.read_to_end())
        while not ended.done():
            await peer.send(line)
            await asyncio.wait([ended], timeout=0.005)

    async with accepting(script) as port:
        with pytest.raises(TimeoutError, match=r"handshake within 0\.1 seconds"):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/", websocket_handshake_timeout=0.1)


async def test_timeout_of_a_server_that_does_not_begin_tls(tls: Tls) -> None:
    async with accepting(silent) as port:
        with pytest.raises(TimeoutError, match=r"handshake within 0\.1 seconds"):
            await ws_connect(
                Recorder,
                f"wss://127.0.0.1:{port}/",
                ssl_context=tls.client,
                websocket_handshake_timeout=0.1,
            )


async def test_time_of_tls_alone(tls: Tls) -> None:
    """Its own timeout may be shorter; then it fails as in asyncio."""
    async with accepting(silent) as port:
        with pytest.raises(ConnectionAbortedError):
            await ws_connect(
                Recorder,
                f"wss://127.0.0.1:{port}/",
                ssl_context=tls.client,
                ssl_handshake_timeout=0.1,
            )


async def test_timeout_of_redirects_together() -> None:
    """Each takes two thirds of the time, so the second response is late."""
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        heads.append(await peer.read_head())
        ended = asyncio.ensure_future(peer.read_to_end())
        await asyncio.wait([ended], timeout=0.4)
        await peer.send(b"HTTP/1.1 302 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
        await ended

    async with accepting(script) as port:
        with pytest.raises(TimeoutError, match="handshake"):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/", websocket_handshake_timeout=0.6)
    assert len(heads) == 2


async def test_timeout_is_not_for_what_comes_before_the_connection() -> None:
    async def make_socket(url: object) -> None:
        await asyncio.sleep(0.2)

    async with serving(Setting("server", None), lambda _: Recorder()) as port:
        transport, _ = await ws_connect(
            Recorder,
            f"ws://127.0.0.1:{port}/",
            socket_factory=make_socket,
            websocket_handshake_timeout=0.15,
        )
        transport.disconnect()
        await transport.wait_disconnected()


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 5, 7, 10, 20, 50])
async def test_cancelled_after_some_turns_of_the_loop(turns: int, both: Setting) -> None:
    """At whatever step that is: the system connects, but nothing responds."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        task = asyncio.ensure_future(ws_connect(Recorder, both.url(port), **both.client_options))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_cancelled_while_waiting_for_the_answer(both: Setting) -> None:
    asked = asyncio.Event()

    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with accepting(script, both.tls and both.tls.server) as port:
        task = asyncio.ensure_future(ws_connect(Recorder, both.url(port), **both.client_options))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_cancelled_while_the_answer_arrives(both: Setting) -> None:
    """The connection may be open by then; it is closed all the same."""
    listener = Recorder()
    async with serving(both, lambda _: listener) as port:
        for turns in range(12):
            task = asyncio.ensure_future(
                ws_connect(Recorder, both.url(port), **both.client_options)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                transport, _ = await task
            except asyncio.CancelledError:
                continue
            transport.disconnect()
            await transport.wait_disconnected()
        connected = listener.events.count("connected")
        await listener.until("disconnected", connected)


# After a successful connection


async def test_nothing_is_left_to_the_garbage_collector(both: Setting) -> None:
    """Neither here nor on the server: each connection is freed when it has ended."""
    ends: asyncio.Queue[None] = asyncio.Queue()

    class Telling(WSListener):
        def on_ws_disconnected(self, transport: WSTransport) -> None:
            ends.put_nowait(None)

    async def connect_once(port: int) -> None:
        transport, _ = await ws_connect(Telling, both.url(port), **both.client_options)
        transport.disconnect()
        for _ in range(2):
            await ends.get()

    async with serving(both, lambda _: Telling()) as port:
        await connect_once(port)  # objects that are created only once stay
        with no_cycles_of("wscore", "httptools", "socket"):
            async with asyncio.timeout(BOUND):
                await connect_once(port)
            await asyncio.sleep(0)  # the server closes its socket


# The listener factory


async def test_factory_without_arguments(both: Setting) -> None:
    async with serving(both, lambda _: Recorder()) as port:
        transport, listener = await ws_connect(Recorder, both.url(port), **both.client_options)
        assert type(listener) is Recorder
        assert listener.transport is transport
        transport.disconnect()
        await transport.wait_disconnected()


async def test_factory_that_sees_the_handshake() -> None:
    seen: list[object] = []

    def factory(request: WSUpgradeRequest, response: WSUpgradeResponse) -> WSListener:
        seen.extend((request, response))
        return Recorder()

    async with serving(Setting("server", None), lambda _: Recorder()) as port:
        transport, _ = await ws_connect(factory, f"ws://127.0.0.1:{port}/x")
        assert seen == [transport.request, transport.response]
        assert transport.request.path == b"/x"
        transport.disconnect()
        await transport.wait_disconnected()


@pytest.mark.parametrize("result", [None, object(), Recorder])
async def test_factory_that_makes_something_else(result: object) -> None:
    async with serving(Setting("server", None), lambda _: Recorder()) as port:
        with pytest.raises(TypeError, match="WSListener"):
            await ws_connect(lambda: result, f"ws://127.0.0.1:{port}/")  # type: ignore[arg-type]


async def test_factory_that_raises(both: Setting) -> None:
    def factory() -> WSListener:
        raise ZeroDivisionError

    async with serving(both, lambda _: Recorder()) as port:
        with pytest.raises(ZeroDivisionError):
            await ws_connect(factory, both.url(port), **both.client_options)


async def test_factory_that_raises_stop_iteration(both: Setting) -> None:
    """It is the one exception that a future refuses."""
    async with serving(both, lambda _: Recorder()) as port:
        with pytest.raises(RuntimeError, match="listener factory raised StopIteration") as raised:
            await ws_connect(partial(next, iter(())), both.url(port), **both.client_options)
        assert isinstance(raised.value.__cause__, StopIteration)


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect(status: int) -> None:
    async with serving(Setting("server", None), lambda _: Recorder()) as target:

        async def script(peer: RawPeer) -> None:
            await peer.read_head()
            await peer.send(
                b"HTTP/1.1 %d X\r\nLocation: ws://127.0.0.1:%d/there\r\nContent-Length: 0\r\n\r\n"
                % (status, target)
            )

        async with accepting(script) as port:
            transport, _ = await ws_connect(Recorder, f"ws://127.0.0.1:{port}/")
            assert transport.request.path == b"/there"
            transport.disconnect()
            await transport.wait_disconnected()


async def test_redirects_are_bounded() -> None:
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        heads.append(await peer.read_head())
        await peer.send(b"HTTP/1.1 302 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    async with accepting(script) as port:
        with pytest.raises(WSHandshakeError):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/", max_redirects=3)
    assert len(heads) == 4
    assert heads[1].startswith(b"GET /again ")


@pytest.mark.parametrize("location", [b"ftp://127.0.0.1/", b"ws://[::1", b"ws://h:x/"])
async def test_redirects_to_nowhere(location: bytes) -> None:
    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 302 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location)

    async with accepting(script) as port:
        with pytest.raises(WSInvalidURL):
            await ws_connect(Recorder, f"ws://127.0.0.1:{port}/")
        for redirects in (0, -1):
            with pytest.raises(WSInvalidStatusError):  # the value is not used
                await ws_connect(Recorder, f"ws://127.0.0.1:{port}/", max_redirects=redirects)


@pytest.mark.parametrize("location", ["ws://127.0.0.1:1/", "http://127.0.0.1:1/"])
async def test_no_redirect_from_tls_to_plain(location: str, tls: Tls) -> None:
    async def script(peer: RawPeer) -> None:
        await peer.read_head()
        await peer.send(
            b"HTTP/1.1 302 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location.encode()
        )

    async with accepting(script, tls.server) as port:
        with pytest.raises(WSError):
            await ws_connect(Recorder, f"wss://127.0.0.1:{port}/", ssl_context=tls.client)


async def test_credentials_stay_with_their_origin() -> None:
    heads: list[bytes] = []

    async def refuse(peer: RawPeer) -> None:
        heads.append(await peer.read_head())
        await peer.send(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")

    async with accepting(refuse) as target:

        async def script(peer: RawPeer) -> None:
            heads.append(await peer.read_head())
            await peer.send(
                b"HTTP/1.1 302 X\r\nLocation: ws://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
                % target
            )

        async with accepting(script) as port:
            with pytest.raises(WSInvalidStatusError) as caught:
                await ws_connect(
                    Recorder,
                    f"ws://user:secret@127.0.0.1:{port}/",
                    extra_headers={"Cookie": "a=b", "X-Own": "c"},
                )
    first, second = heads
    assert caught.value.request is not None
    assert caught.value.request.to_bytes() == second  # the last one was refused
    assert wire.header_of(first, "Authorization")
    assert wire.header_of(first, "Cookie") == "a=b"
    assert wire.header_of(second, "Authorization") is None
    assert wire.header_of(second, "Cookie") is None
    assert wire.header_of(second, "X-Own") == "c"


# The caller's sockets


@contextlib.asynccontextmanager
async def closing(transport: WSTransport) -> AsyncIterator[None]:
    try:
        yield
    finally:
        transport.disconnect()
        async with asyncio.timeout(BOUND):
            await transport.wait_disconnected()


async def test_own_socket(both: Setting) -> None:
    import socket

    async with serving(both, lambda _: Recorder()) as port:
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setblocking(False)
        own = sock.getsockname()
        transport, _ = await ws_connect(Recorder, both.url(port), sock=sock, **both.client_options)
        async with closing(transport):
            assert transport.underlying_transport.get_extra_info("sockname") == own


async def test_local_address() -> None:
    port_of_client = free_port()
    async with serving(Setting("server", None), lambda _: Recorder()) as port:
        transport, _ = await ws_connect(
            Recorder, f"ws://127.0.0.1:{port}/", local_addr=("127.0.0.1", port_of_client)
        )
        async with closing(transport):
            own = transport.underlying_transport.get_extra_info("sockname")
            assert own == ("127.0.0.1", port_of_client)


def test_public_names() -> None:
    """Programs may import exactly the names in `__all__`."""
    module = sys.modules["wscore"]
    assert all(hasattr(module, name) for name in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
