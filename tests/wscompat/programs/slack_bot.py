"""A bot in Slack's socket mode (slack_sdk), which reconnects on request, and when its
connection breaks; and a server in Slack's place: the web API that gives the address, which runs on
aiohttp, and the socket.
"""

# ruff: noqa: I001 (the library is chosen first)
from tests.wscompat.programs.library import run

import asyncio
import json
import logging
from typing import Any

import websockets
from aiohttp import web
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websockets import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient


class Slack:
    """The server: it sends one event on each connection, and then does as configured."""

    def __init__(self, endings: list[str]) -> None:
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.endings = endings
        self.address = ""

    async def open(self, request: web.Request) -> web.Response:
        """Implement the method apps.connections.open of the web API."""
        assert request.headers["Authorization"] == "Bearer xapp-token"
        return web.json_response({"ok": True, "url": self.address})

    async def handler(self, websocket: Any) -> None:
        """Handle one connection of the bot."""
        assert websocket.request.path == "/link/?ticket=1"
        ending = self.endings.pop(0)
        await websocket.send(json.dumps({"type": "hello"}))
        event = {"type": "message", "text": ending}
        envelope = {"envelope_id": ending, "type": "events_api", "payload": {"event": event}}
        await websocket.send(json.dumps(envelope))
        await self.answers.put(json.loads(await websocket.recv()))
        match ending:
            case "refresh":
                await websocket.send(json.dumps({"type": "disconnect", "reason": "refresh"}))
                await websocket.wait_closed()
            case "abort":
                websocket.transport.abort()
            case "stay":
                await websocket.wait_closed()


async def main() -> None:
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    slack = Slack(["refresh", "abort", "stay"])
    app = web.Application()
    app.router.add_post("/api/apps.connections.open", slack.open)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"

    async with websockets.serve(slack.handler, "127.0.0.1", 0) as server:
        slack.address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/link/?ticket=1"
        client = SocketModeClient(
            app_token="xapp-token", web_client=AsyncWebClient(base_url=api), ping_interval=0.1
        )

        async def answer(bot: SocketModeClient, request: SocketModeRequest) -> None:
            text = request.payload["event"]["text"].upper()
            response = SocketModeResponse(request.envelope_id, payload={"text": text})
            await bot.send_socket_mode_response(response)

        client.socket_mode_request_listeners.append(answer)
        await client.connect()
        for ending in ("refresh", "abort", "stay"):
            given = await slack.answers.get()
            assert given == {"envelope_id": ending, "payload": {"text": ending.upper()}}
        assert await client.is_connected()
        await client.close()
        assert client.current_session.close_code == 1000
    await runner.cleanup()


if __name__ == "__main__":
    run(main)
