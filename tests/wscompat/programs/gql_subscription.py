"""A GraphQL client that subscribes (gql), and a server for it: graphql-core behind the protocol
graphql-transport-ws.
"""

# ruff: noqa: I001 (the library is chosen first)
from tests.wscompat.programs.library import run

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

import graphql
import pytest
import websockets
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

SCHEMA = graphql.build_schema(
    """
    type Query { greet(name: String!): String! }
    type Subscription { count(to: Int!): Int! }
    """
)


async def count(_root: Any, _info: Any, to: int) -> AsyncIterator[dict[str, int]]:
    """Count from one."""
    for number in range(1, to + 1):
        await asyncio.sleep(0)
        yield {"count": number}


def greet(_root: Any, _info: Any, name: str) -> str:
    if not name:
        raise ValueError("nobody to greet")
    return f"Hello {name}!"


SCHEMA.subscription_type.fields["count"].subscribe = count
SCHEMA.query_type.fields["greet"].resolve = greet


async def execute(websocket: Any, number: str, payload: dict[str, Any]) -> None:
    """Answer one operation, with as many messages as it takes."""
    document = graphql.parse(payload["query"])
    variables = payload.get("variables")
    operation = graphql.get_operation_ast(document)
    if operation.operation is graphql.OperationType.QUERY:
        result = graphql.execute_sync(SCHEMA, document, variable_values=variables)
        if result.errors:
            await say(websocket, "error", number, [error.formatted for error in result.errors])
            return
        await say(websocket, "next", number, result.formatted)
    else:
        items: Any = graphql.subscribe(SCHEMA, document, variable_values=variables)
        if inspect.isawaitable(items):  # that depends on the version
            items = await items
        async for item in items:
            await say(websocket, "next", number, item.formatted)
    await say(websocket, "complete", number)


async def say(websocket: Any, kind: str, number: str | None = None, payload: Any = None) -> None:
    message = {"type": kind, "id": number, "payload": payload}
    await websocket.send(json.dumps({key: value for key, value in message.items() if value}))


async def handler(websocket: Any) -> None:
    """Speak the protocol."""
    running: dict[str, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as tasks:
        async for text in websocket:
            match json.loads(text):
                case {"type": "connection_init"}:
                    if websocket.request.headers.get("Authorization") != "token":
                        await websocket.close(4403, "Forbidden")
                        break
                    await say(websocket, "connection_ack")
                case {"type": "ping"}:
                    await say(websocket, "pong")
                case {"type": "subscribe", "id": number, "payload": payload}:
                    running[number] = tasks.create_task(execute(websocket, number, payload))
                case {"type": "complete", "id": number}:
                    running.pop(number).cancel()


async def main() -> None:
    subscription = gql("subscription ($to: Int!) { count(to: $to) }")
    protocol = WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL
    async with websockets.serve(handler, "127.0.0.1", 0, subprotocols=[protocol]) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport = WebsocketsTransport(
            url=uri, headers={"Authorization": "token"}, ping_interval=0.05, pong_timeout=10
        )
        async with Client(transport=transport) as session:
            subscription.variable_values = {"to": 100}
            counted = [result["count"] async for result in session.subscribe(subscription)]
            assert counted == list(range(1, 101)), counted
            greeting = await session.execute(gql('{ greet(name: "you") }'))
            assert greeting == {"greet": "Hello you!"}
            subscription.variable_values = {"to": 10**9}
            async for result in session.subscribe(subscription):
                if result["count"] == 5:
                    break
            with pytest.raises(TransportQueryError, match="nobody to greet"):
                await session.execute(gql('{ greet(name: "") }'))
            await asyncio.wait_for(transport.pong_received.wait(), 5)

        with pytest.raises(TransportConnectionFailed) as failure:
            async with Client(transport=WebsocketsTransport(url=uri)):
                pass
        cause = failure.value.__cause__
        assert isinstance(cause, websockets.ConnectionClosedError), repr(cause)
        assert (cause.rcvd.code, cause.rcvd.reason) == (4403, "Forbidden")


if __name__ == "__main__":
    run(main)
