"""The command ``wscompat``: talks with a WebSocket server, line by line.

Each line of input is a message. This file connects and passes messages on; how they are read and
shown, on a terminal or through pipes, is in `wscompat.console`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import Sequence
from typing import Any

from .asyncio.client import ClientConnection, connect
from .console import Console, open_console
from .exceptions import ConnectionClosed, WebSocketException
from .frames import Close
from .uri import parse_uri
from .version import version

__all__ = ["main"]

_FAILED = 1
_INTERRUPTED = 128 + 2  # SIGINT, as shells report it
#: Seconds for the server to answer the messages before the end of the input.
_ANSWER_TIMEOUT = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; those of the process if None.

    Returns:
        The exit status: 0 if the connection was closed as it should be, 1 if there was none or it
        broke, 130 after an interrupt.

    Raises:
        SystemExit: with status 2, if the arguments are wrong.
    """
    arguments = _parser().parse_args(argv)
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wscompat",
        description="Talk with a WebSocket server. Each line of input is a message.",
    )
    parser.add_argument("uri", metavar="URI", help="ws:// or wss:// address of the server")
    parser.add_argument(
        "--insecure", action="store_true", help="do not verify the certificate of the server"
    )
    parser.add_argument(
        "--linger",
        type=float,
        metavar="SECONDS",
        help="how long to receive after the end of input that is not typed; "
        "without it, until the server has answered a ping",
    )
    parser.add_argument(
        "--no-history", action="store_true", help="neither read nor write the history"
    )
    parser.add_argument("--version", action="version", version=f"wscompat {version}")
    return parser


async def _run(arguments: argparse.Namespace) -> int:
    console = open_console(keeps_history=not arguments.no_history)
    try:
        tls = _tls(arguments.uri, arguments.insecure)
        websocket = await connect(arguments.uri, max_size=None, **tls)
    except (OSError, WebSocketException, ValueError) as exc:
        console.status(f"Failed to connect to {arguments.uri}: {exc}.", failed=True)
        return _FAILED
    console.connected(websocket, arguments.uri)
    return await _converse(websocket, console, arguments.linger)


def _tls(uri: str, insecure: bool) -> dict[str, Any]:
    """Return the arguments of `connect` that concern TLS."""
    if not insecure or not parse_uri(uri).secure:
        return {}
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}


async def _converse(websocket: ClientConnection, console: Console, linger: float | None) -> int:
    """Send the input and show received messages, until either ends."""
    receiving = asyncio.create_task(_show_all(websocket, console))
    sending = asyncio.create_task(_send_all(websocket, console, linger))
    try:
        await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        (problem,) = await asyncio.gather(sending, return_exceptions=True)
        await websocket.close()
    ended_well = await receiving
    if isinstance(problem, UnicodeDecodeError):
        console.status("The input is not UTF-8.", failed=True)
        ended_well = False
    elif isinstance(problem, Exception):
        raise problem
    close = Close(websocket.close_code or 0, websocket.close_reason or "")
    console.status(f"Connection closed: {close}.", failed=not ended_well)
    return 0 if ended_well else _FAILED


async def _show_all(websocket: ClientConnection, console: Console) -> bool:
    """Show received messages until the end; return whether the connection closed normally."""
    try:
        async for message in websocket:
            console.message(message)
    except ConnectionClosed:
        return False
    return True


async def _send_all(websocket: ClientConnection, console: Console, linger: float | None) -> None:
    """Send all lines, and give the server time to answer them."""
    with contextlib.suppress(ConnectionClosed, TimeoutError):
        async for line in console.lines():
            await websocket.send(line)
        if linger is not None:
            await asyncio.sleep(linger)
        elif not console.is_typed:
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                await (await websocket.ping())
