"""The parameters of compression that are agreed on, and that both libraries understand."""

import importlib
from typing import Any

import pytest

import wscore
from tests.wscompat.extensions.custom import xor
from tests.wscompat.legacy.models import MODEL, OURS, Legacy, serving
from tests.wscompat.sansio import load
from wscompat.asyncio.compression import ClientFactory, ServerFactory
from wscompat.extensions.permessage_deflate import PerMessageDeflate

compression = importlib.import_module("wscompat.legacy.deflate_parameters")
PAIRS = [(MODEL, MODEL), (MODEL, OURS), (OURS, MODEL), (OURS, OURS)]
MESSAGE = "the same words again and again, " * 200


def factory(library: Legacy, side: str, **options: Any) -> Any:
    module = importlib.import_module(f"{library}.extensions.permessage_deflate")
    return getattr(module, f"{side}PerMessageDeflateFactory")(**options)


async def agreed(
    client: Legacy, server: Legacy, client_options: dict[str, Any], server_options: dict[str, Any]
) -> list[Any]:
    """Send messages both ways; return the offer and the acceptance."""

    async def echo(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)
            server.server.broadcast([websocket], message)

    async with serving(server, echo, **server_options) as port:
        uri = f"ws://127.0.0.1:{port}"
        async with client.client.connect(uri, **client_options) as websocket:
            for message in (MESSAGE, MESSAGE.encode(), "short", ""):
                await websocket.send(message)
                assert await websocket.recv() == message
                assert await websocket.recv() == message
            await websocket.send([MESSAGE, MESSAGE])
            assert await websocket.recv() == MESSAGE * 2
            name = "Sec-WebSocket-Extensions"
            return [
                websocket.request_headers.get(name),
                websocket.response_headers.get(name),
                repr(websocket.extensions),
            ]


@pytest.mark.parametrize("client_compression", ["deflate", None])
@pytest.mark.parametrize("server_compression", ["deflate", None])
async def test_compression(client_compression: str | None, server_compression: str | None) -> None:
    results = [
        await agreed(
            client,
            server,
            {"compression": client_compression},
            {"compression": server_compression},
        )
        for client, server in PAIRS
    ]
    assert results == [results[0]] * 4
    assert ("permessage-deflate" in str(results[0][1])) == (
        client_compression is not None and server_compression is not None
    )


@pytest.mark.parametrize(
    ("client_settings", "server_settings"),
    [
        ({}, {}),
        ({"client_max_window_bits": 10}, {"server_max_window_bits": 11}),
        ({"client_no_context_takeover": True}, {"server_no_context_takeover": True}),
        ({"compress_settings": {"level": 9}}, {"compress_settings": {"memLevel": 4}}),
    ],
)
async def test_factories(client_settings: dict[str, Any], server_settings: dict[str, Any]) -> None:
    results = [
        await agreed(
            client,
            server,
            {"compression": None, "extensions": [factory(client, "Client", **client_settings)]},
            {"compression": None, "extensions": [factory(server, "Server", **server_settings)]},
        )
        for client, server in PAIRS
    ]
    assert results == [results[0]] * 4


async def test_messages_are_compressed() -> None:
    """The transport is asked, which knows the bytes that were sent."""
    sizes: list[int] = []

    class Counting(OURS.server.WebSocketServerProtocol):  # type: ignore[misc,name-defined]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            assert self._transport.deflate is None

        def connection_open(self) -> None:
            super().connection_open()
            sizes.append(self._transport.deflate.server_max_window_bits)

    options = {"compression": "deflate", "create_protocol": Counting}
    await agreed(MODEL, OURS, {"compression": "deflate"}, options)
    assert sizes == [12]


def own(library: Legacy, side: str) -> Any:
    """Make a factory of an extension that changes every byte."""
    factories = xor(load(library.name))
    return factories.client_factory() if side == "Client" else factories.server_factory()


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_own_extensions(compression: str | None) -> None:
    results = [
        await agreed(
            client,
            server,
            {"compression": compression, "extensions": [own(client, "Client")]},
            {"compression": compression, "extensions": [own(server, "Server")]},
        )
        for client, server in PAIRS
    ]
    assert results == [results[0]] * 4
    assert "Xor()" in results[0][2]


async def test_extensions_that_cannot_be_agreed_on() -> None:
    for client, server in PAIRS:
        result = await agreed(
            client,
            server,
            {"compression": None, "extensions": [own(client, "Client")]},
            {"compression": "deflate"},
        )
        assert result[1:] == [None, "[]"]


async def test_settings_that_wscore_does_not_have() -> None:
    settings = {"compress_settings": {"level": 1, "strategy": 0}}
    assert compression.core_deflate([factory(OURS, "Client", **settings)]) is None
    for client, server in PAIRS:
        await agreed(
            client,
            server,
            {"compression": None, "extensions": [factory(client, "Client", **settings)]},
            {"compression": None, "extensions": [factory(server, "Server", **settings)]},
        )


def test_what_is_not_for_wscore() -> None:
    class Other(PerMessageDeflate):
        pass

    extension = PerMessageDeflate(False, False, 15, 15)
    assert compression.agreed_parameters([], True) is None
    assert compression.agreed_parameters([extension, extension], True) is None
    assert compression.agreed_parameters([Other(False, False, 15, 15)], True) is None
    assert compression.core_deflate(None) is None
    assert compression.core_deflate([object()]) is None


def test_sides() -> None:
    extension = PerMessageDeflate(True, False, 11, 12)
    client = compression.agreed_parameters([extension], True)
    assert (client.server_no_context_takeover, client.client_no_context_takeover) == (True, False)
    assert (client.server_max_window_bits, client.client_max_window_bits) == (11, 12)
    server = compression.agreed_parameters([extension], False)
    assert (server.server_no_context_takeover, server.client_no_context_takeover) == (False, True)
    assert (server.server_max_window_bits, server.client_max_window_bits) == (12, 11)


@pytest.mark.parametrize(
    "deflate",
    [
        wscore.WSDeflate(engine="zlib", level=1, server_max_window_bits=10),
        wscore.WSDeflate(engine="isal", client_max_window_bits=12, client_no_context_takeover=True),
    ],
    ids=str,
)
async def test_chosen_compression(deflate: wscore.WSDeflate) -> None:
    """A WSDeflate of wscore, which the model does not have."""
    options = {"compression": deflate}
    default = {"compression": "deflate"}
    results = [
        await agreed(OURS, OURS, options, default),
        await agreed(OURS, OURS, options, options),
        await agreed(OURS, MODEL, options, default),
        await agreed(MODEL, OURS, default, options),
    ]
    assert all("PerMessageDeflate" in used for _, _, used in results)
    assert compression.core_deflate([ClientFactory(deflate)]) is deflate
    assert compression.core_deflate([ServerFactory(deflate)]) is deflate
    with pytest.raises(ValueError, match="cannot be combined"):
        OURS.client.connect("ws://localhost", extensions=[factory(OURS, "Client")], **options)
