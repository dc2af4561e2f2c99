"""A Starlette application under uvicorn, which runs on wscompat: a program.

Its argument is uvicorn's ``--ws``: websockets-sansio, or websockets for the one on the older API.
It prints its port, and then how each connection to ``/echo?NAME`` ended, after its name.
"""

# ruff: noqa: E402  (uvicorn must be imported after wscompat has taken its place)

import importlib
import socket
import sys

import wscompat

wscompat.install()

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def say(*words: object) -> None:
    print(*words, flush=True)


async def echo(websocket: WebSocket) -> None:
    """Send back what comes; ``close CODE REASON`` closes, ``fail`` fails."""
    offered = websocket.scope["subprotocols"]
    await websocket.accept("chat" if "chat" in offered else None, [(b"x-app", b"yes")])
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"], message.get("reason"))
            if (data := message.get("bytes")) is not None:
                await websocket.send_bytes(data)
            elif message["text"].startswith("close "):
                _, code, reason = message["text"].split(" ", 2)
                await websocket.close(int(code), reason)
            elif message["text"] == "fail":
                raise RuntimeError("asked to fail")
            else:
                await websocket.send_text(message["text"])
    except WebSocketDisconnect as exc:
        say(websocket.url.query, "left", exc.code, exc.reason or "-")
    except RuntimeError:
        say(websocket.url.query, "failed")
        raise


async def headers(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json({"x": websocket.headers.get("x"), "path": websocket.url.path})
    await websocket.close()


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


async def deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("not today", status_code=418))


async def page(request: object) -> PlainTextResponse:
    return PlainTextResponse("a page")


def main() -> None:
    app = Starlette(
        routes=[
            Route("/", page),
            WebSocketRoute("/echo", echo),
            WebSocketRoute("/headers", headers),
            WebSocketRoute("/refuse", refuse),
            WebSocketRoute("/deny", deny),
        ]
    )
    used = importlib.import_module("websockets").__name__
    assert used == "wscompat"
    config = uvicorn.Config(app, ws=sys.argv[1], ws_max_size=100_000, log_level="warning")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        say(listening.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
