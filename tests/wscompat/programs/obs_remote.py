"""A remote control for OBS Studio (simpleobsws: MessagePack in binary messages, a password), and a
server that speaks enough of obs-websocket for it.
"""

# ruff: noqa: I001 (the library is chosen first)
from tests.wscompat.programs.library import run

import asyncio
import base64
import hashlib
from typing import Any

import msgpack
import simpleobsws
import websockets

PASSWORD, SALT, CHALLENGE = "secret", "salt", "challenge"


def proof() -> str:
    """Return the answer of a client that knows the password."""

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return digest(digest(PASSWORD + SALT) + CHALLENGE)


def response(request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a request."""
    known = request["requestType"] == "Echo"
    status = {"result": known, "code": 100 if known else 204}
    return {
        "requestType": request["requestType"],
        "requestStatus": status,
        "responseData": request.get("requestData"),
    }


async def handler(websocket: Any) -> None:
    """Speak the protocol."""

    async def say(op: int, **data: Any) -> None:
        await websocket.send(msgpack.packb({"op": op, "d": data}))

    await say(0, rpcVersion=1, authentication={"challenge": CHALLENGE, "salt": SALT})
    async for message in websocket:
        received = msgpack.unpackb(message)
        match received["op"], received["d"]:
            case 1, {"authentication": given}:
                if given != proof():
                    await websocket.close(4009, "Authentication failed.")
                    return
                await say(2, negotiatedRpcVersion=1)
                await say(5, eventType="Started", eventIntent=1, eventData={"n": 1})
            case 6, request:
                await say(7, requestId=request["requestId"], **response(request))
            case 8, batch:
                results = [response(request) for request in batch["requests"]]
                await say(9, requestId=batch["requestId"], results=results)


async def main() -> None:
    subprotocols = ["obswebsocket.msgpack"]
    options = {"subprotocols": subprotocols, "max_size": 2**24}
    async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = simpleobsws.WebSocketClient(url=uri, password=PASSWORD)
        events: asyncio.Queue[dict[str, int]] = asyncio.Queue()

        async def started(data: dict[str, int]) -> None:
            events.put_nowait(data)

        client.register_event_callback(started, "Started")
        await client.connect()
        assert await client.wait_until_identified()
        assert await events.get() == {"n": 1}
        assert client.ws.subprotocol == subprotocols[0]

        picture = "0123456789abcdef" * 131072  # two MiB, more than the limit it does not raise
        answer = await client.call(simpleobsws.Request("Echo", {"picture": picture}))
        assert answer.ok()
        assert answer.responseData == {"picture": picture}
        requests = [simpleobsws.Request("Echo", {"n": n}) for n in range(50)]
        answers = await asyncio.gather(*map(client.call, requests))
        assert [answer.responseData["n"] for answer in answers] == list(range(50))
        batch = await client.call_batch([*requests[:2], simpleobsws.Request("Nonsense")])
        assert [answer.ok() for answer in batch] == [True, True, False]
        assert await client.disconnect()

        wrong = simpleobsws.WebSocketClient(url=uri, password="wrong")
        await wrong.connect()
        await wrong.ws.wait_closed()
        assert (wrong.ws.close_code, wrong.ws.close_reason) == (4009, "Authentication failed.")
        await wrong.disconnect()


if __name__ == "__main__":
    run(main)
