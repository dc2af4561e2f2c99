"""Listener factories of clients: how many arguments each kind of callable gets."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from multidict import CIMultiDict

from tests.wscore.recorder import BOUND
from tests.wscore.servers import LOOPBACK, port_of
from wscore import (
    WSHandshakeError,
    WSListener,
    WSMessageListener,
    WSMessageReader,
    WSUpgradeRequest,
    WSUpgradeResponse,
    ws_connect,
    ws_create_server,
)
from wscore.connection.message_base import WSMessageBase
from wscore.opening.listener_factory import make_listener
from wscore.serve import ListenerFactory

REQUEST = WSUpgradeRequest(b"GET", b"/", b"HTTP/1.1", CIMultiDict())
RESPONSE = WSUpgradeResponse(b"HTTP/1.1", 101, CIMultiDict())

BOTH = (REQUEST, RESPONSE)


class Seen(WSListener):
    """A listener that records the arguments of its factory."""

    args: tuple[object, ...] = ()


def seen(*args: object) -> Seen:
    listener = Seen()
    listener.args = args
    return listener


class Methods:
    def none(self) -> Seen:
        return seen()

    def both(self, request: object, response: object) -> Seen:
        return seen(request, response)

    @classmethod
    def of_the_class(cls, request: object, response: object) -> Seen:
        return seen(request, response)

    @staticmethod
    def static(request: object, response: object) -> Seen:
        return seen(request, response)


class Called:
    def __call__(self, request: object, response: object) -> Seen:
        return seen(request, response)


class TakesBoth(Seen):
    def __init__(self, request: object, response: object) -> None:
        self.args = (request, response)


def three(first: object, request: object, response: object) -> Seen:
    return seen(request, response)


def keyword(request: object, response: object, *, name: str) -> Seen:
    raise AssertionError


@functools.wraps(three)
def wrapper(*args: object) -> Seen:
    return seen(*args)


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        (lambda: seen(), ()),
        (lambda request, response: seen(request, response), BOTH),
        (lambda *args: seen(*args), BOTH),
        (lambda request, *args: seen(request, *args), BOTH),
        (lambda **options: seen(*options), ()),
        (lambda first=1: seen(first), (1,)),
        (lambda first=1, second=2: seen(first, second), BOTH),
        (lambda first=1, second=2, third=3: seen(first, second, third), (*BOTH, 3)),
        (lambda request, response, *, name="x": seen(request, response, name), (*BOTH, "x")),
        (Methods().none, ()),
        (Methods().both, BOTH),
        (Methods().of_the_class, BOTH),
        (Methods().static, BOTH),
        (Methods.static, BOTH),
        (Called(), BOTH),
        (functools.partial(three, 1), BOTH),
        (Seen, ()),
        (TakesBoth, BOTH),
    ],
)
def test_arguments(factory: Callable[..., WSListener], expected: tuple[object, ...]) -> None:
    for _ in range(2):  # the second time some of it is cached
        listener = make_listener(factory, REQUEST, RESPONSE)
        assert isinstance(listener, Seen)
        assert listener.args == expected


@pytest.mark.parametrize("factory", [three, keyword, lambda request: seen(request)])
def test_factory_that_takes_something_else(factory: Callable[..., Any]) -> None:
    """It is called without arguments, and its own TypeError names the missing ones."""
    with pytest.raises(TypeError, match="missing"):
        make_listener(factory, REQUEST, RESPONSE)


def test_wrapper_has_the_signature_of_what_it_wraps() -> None:
    listener = make_listener(wrapper, REQUEST, RESPONSE)
    assert isinstance(listener, Seen)
    assert listener.args == ()


@pytest.mark.parametrize("result", [None, object(), WSListener])
def test_factory_that_makes_something_else(result: object) -> None:
    with pytest.raises(TypeError, match="must return a WSListener"):
        make_listener(lambda: result, REQUEST, RESPONSE)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("factory", [None, WSListener(), "echo"])
async def test_factory_that_cannot_be_called(factory: Any) -> None:
    with pytest.raises(TypeError, match=r"^ws_listener_factory must be callable, not "):
        await ws_connect(factory, "ws://nowhere.invalid/")
    with pytest.raises(TypeError, match=r"^ws_listener_factory must be callable, not "):
        await ws_create_server(factory, "127.0.0.1", 0)


@contextlib.asynccontextmanager
async def serving(factory: ListenerFactory) -> AsyncIterator[str]:
    server = await ws_create_server(factory, LOOPBACK, 0)
    try:
        yield f"ws://{LOOPBACK}:{port_of(server)}/"
    finally:
        server.close()
        server.close_clients()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


@pytest.fixture(params=["reader", "listener"])
def messages(request: pytest.FixtureRequest) -> WSMessageBase:
    return WSMessageReader() if request.param == "reader" else WSMessageListener()


async def test_clients_do_not_share_a_listener_to_messages(messages: WSMessageBase) -> None:
    async with serving(lambda _: WSListener()) as url:
        transport, _ = await ws_connect(lambda: messages, url)
        with pytest.raises(RuntimeError, match="a new message listener for each connection"):
            await ws_connect(lambda: messages, url)
        transport.disconnect()
        await transport.wait_disconnected()
        with pytest.raises(RuntimeError, match="already has one"):
            await ws_connect(lambda: messages, url)


async def test_servers_do_not_share_a_listener_to_messages(
    messages: WSMessageBase, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(lambda _: messages) as url:
        transport, _ = await ws_connect(WSListener, url)
        for _ in range(2):
            caplog.clear()
            with pytest.raises(WSHandshakeError) as caught:
                await ws_connect(WSListener, url)
            assert caught.value.response is not None
            assert caught.value.response.status == 500
            [record] = [record for record in caplog.records if record.levelname == "ERROR"]
            assert record.exc_info is not None
            assert "already has one" in str(record.exc_info[1])
            transport.disconnect()
            await transport.wait_disconnected()


async def test_listener_to_frames_may_be_shared() -> None:
    shared = WSListener()
    async with serving(lambda _: shared) as url:
        for _ in range(2):
            transport, listener = await ws_connect(lambda: shared, url)
            assert listener is shared
            transport.disconnect()
            await transport.wait_disconnected()
