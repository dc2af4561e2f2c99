"""The attributes of ``connection.protocol``, compared with websockets on either side."""

import contextlib
from typing import Any

import pytest

from tests.wscompat.libraries import MODEL, PAIRS, Options, Pair, Record, converse
from wscompat.asyncio.protocol_view import ProtocolView

NAMES = (
    *("side", "state", "debug", "origin", "subprotocol", "extensions", "handshake_exc"),
    *("close_rcvd", "close_sent", "close_rcvd_then_sent", "close_code", "close_reason"),
    *("close_exc", "parser_exc"),
)

OPTIONS = [
    Options(),
    Options(compression="deflate"),
    Options(client={"origin": "http://a"}),
    Options(client={"subprotocols": ["chat"]}, server={"subprotocols": ["chat"]}),
]


def look(connection: Any, record: Record) -> None:
    protocol = connection.protocol
    assert protocol.id == connection.id
    assert protocol.logger.name == connection.logger.name
    for name in NAMES:
        try:
            value = getattr(protocol, name)
        except AssertionError as exc:
            value = exc
        if isinstance(value, BaseException):
            record.note(name, type(value).__name__, str(value))
        else:
            record.note(name, str(value))


async def client(connection: Any, record: Record) -> None:
    look(connection, record)
    await connection.send("x")
    await record.end(connection)
    look(connection, record)


async def server(connection: Any, record: Record) -> None:
    await connection.recv()
    look(connection, record)
    await connection.close(4000, "enough")
    look(connection, record)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
async def test_same_as_the_model(pair: Pair, options: Options) -> None:
    expected = await converse(MODEL, client, server, options)
    assert await converse(pair, client, server, options) == expected


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_before_the_connection_is_open(pair: Pair) -> None:
    """While a request is looked at it is the protocol that judges it."""
    seen = []

    def process_request(connection: Any, request: Any) -> None:
        seen.append((connection.protocol.state.name, type(connection.protocol).__name__))

    options = Options(server={"process_request": process_request})
    with contextlib.suppress(Exception):
        await converse(pair, client, server, options)
    assert seen == [("CONNECTING", "ServerProtocol")]


def test_it_keeps_nothing() -> None:
    assert not hasattr(ProtocolView(object()), "__dict__")  # type: ignore[arg-type]
