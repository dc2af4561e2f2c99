"""Where the command ``wscompat`` reads lines from and shows messages: a terminal, pipes, files.

On a terminal the line that is being typed stays whole, whatever comes in meanwhile, and nothing
that a server sends may control the terminal. Through pipes, messages come out as they are.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import importlib.util
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

from .asyncio.client import ClientConnection
from .typing import Data

__all__ = ["Console", "Pipes", "Terminal", "open_console"]

_GREEN, _RED, _BLUE, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[34m", "\x1b[0m"
#: Lines that may be read before they are sent.
_LINES_AHEAD = 64


class Console(abc.ABC):
    """Input and output of the command.

    Attributes:
        is_typed: whether somebody types the lines.
    """

    is_typed = False

    @abc.abstractmethod
    def lines(self) -> AsyncIterator[str]:
        """Yield the lines of input, without their ends.

        Raises:
            UnicodeDecodeError: if the input is not UTF-8.
        """

    def connected(self, websocket: ClientConnection, uri: str) -> None:
        """Show that there is a connection.

        Args:
            websocket: the connection.
            uri: the requested URI.
        """
        chosen = f", subprotocol {websocket.subprotocol}" if websocket.subprotocol else ""
        self.status(f"Connected to {uri}{chosen}.")

    def status(self, text: str, *, failed: bool = False) -> None:
        """Show something about the connection.

        Args:
            text: the text to show.
            failed: whether it is bad news.
        """
        self._show(sys.stderr, _RED if failed else _BLUE, _harmless(text))

    def message(self, message: Data) -> None:
        """Show a message."""
        text = message if isinstance(message, str) else f"(binary) {message.hex()}"
        self._show(sys.stdout, _GREEN, "< ", _harmless(text))

    def _show(self, stream: TextIO, colour: str, coloured: str, plain: str = "") -> None:
        """Write a line that begins in colour where the stream is a terminal that has colours."""
        has_colours = (
            stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        if has_colours:
            coloured = f"{colour}{coloured}{_PLAIN}"
        stream.write(f"{coloured}{plain}\n")
        stream.flush()


class Pipes(Console):
    """Lines from a pipe or file, messages to one: each a line, bytes as hexadecimal digits."""

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines of the standard input."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        room = threading.Semaphore(_LINES_AHEAD)

        def read() -> None:
            # A separate buffer: the process may end while this waits with the buffer locked.
            with (
                open(sys.stdin.fileno(), "rb", closefd=False) as stdin,
                contextlib.suppress(RuntimeError),  # the loop is closed
            ):
                line = b"..."
                while line:
                    line = stdin.readline()
                    room.acquire()
                    loop.call_soon_threadsafe(queue.put_nowait, line)

        # Not of the loop's executor, which would be waited for at the end.
        threading.Thread(target=read, daemon=True).start()
        while line := await queue.get():
            room.release()
            yield line.decode().removesuffix("\n").removesuffix("\r")

    def message(self, message: Data) -> None:
        """Write a message and the end of its line, as it is unless to a terminal."""
        if sys.stdout.isatty():
            super().message(message)
            return
        data = message.encode() if isinstance(message, str) else message.hex().encode()
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.buffer.flush()


class Terminal(Console):
    """Lines that somebody types, with history, and the state of the connection beside them.

    Args:
        history: the file in which lines are kept; None to keep them until the end only.
    """

    is_typed = True

    def __init__(self, history: Path | None) -> None:
        # It would ask where the cursor is, and after a message scroll by an outdated answer.
        os.environ["PROMPT_TOOLKIT_NO_CPR"] = "1"
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory, InMemoryHistory

        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory() if history is None else FileHistory(str(history)),
            rprompt=self._state,
            refresh_interval=1,
            reserve_space_for_menu=0,
        )
        self._websocket: ClientConnection | None = None

    def connected(self, websocket: ClientConnection, uri: str) -> None:
        """Show that there is a connection, and from then on its state."""
        self._websocket = websocket
        super().connected(websocket, uri)

    def _state(self) -> str:
        """Return the text to show at the right of the line that is being typed."""
        if self._websocket is None or self._session.app.is_done:
            return ""
        latency = self._websocket.latency
        took = f" {latency * 1000:.1f} ms" if latency else ""
        return f"{self._websocket.state.name.lower()}{took}"

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines that are typed, until Ctrl-D or Ctrl-C."""
        # Also between two lines, so that keys pressed there are not echoed by the terminal.
        with self._session.app.input.raw_mode(), contextlib.suppress(EOFError, KeyboardInterrupt):
            while True:
                yield await self._session.prompt_async("> ")

    def _show(self, stream: TextIO, colour: str, coloured: str, plain: str = "") -> None:
        """Write a line above the one that is being typed."""
        app = self._session.app
        if app.is_running:
            app.renderer.erase()
        super()._show(sys.stdout, colour, coloured, plain)
        if app.is_running:
            app.invalidate()


def open_console(*, keeps_history: bool) -> Console:
    """Give the console that fits the process.

    Args:
        keeps_history: whether lines that are typed are kept for the next time.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Pipes()
    if importlib.util.find_spec("prompt_toolkit") is None:
        console = Pipes()
        console.status("For history and editing: pip install 'wscompat[cli]'")
        return console
    return Terminal(_history_file() if keeps_history else None)


def _history_file() -> Path:
    """Return the file of the typed lines, created with access for this user only."""
    state = os.environ.get("XDG_STATE_HOME")
    folder = (Path(state) if state else Path.home() / ".local" / "state") / "wscompat"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "history"
    file.touch(mode=0o600)
    return file


def _harmless(text: str) -> str:
    """Return the text with control characters as escape sequences of Python."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
