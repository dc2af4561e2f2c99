"""A terminal for programs under test: it keeps the screen that they draw, and can press keys."""

import asyncio
import contextlib
import os
import termios
from collections.abc import AsyncIterator, Callable, Mapping

import pyte

from tests.wscompat.libraries import BOUND

ROWS, COLUMNS = 24, 80


class Terminal:
    """A pseudo-terminal with a program in it.

    Attributes:
        process: the program.
        screen: its content.
        drawn: all that the program has written.
    """

    process: asyncio.subprocess.Process

    def __init__(self, master: int) -> None:
        self.drawn = b""
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._master = master
        self._changed = asyncio.Event()

    def press(self, keys: bytes) -> None:
        """Press some keys."""
        os.write(self._master, keys)

    @property
    def lines(self) -> list[str]:
        """The lines that are not empty, without the blanks at their ends."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    async def until(self, condition: Callable[[list[str]], bool]) -> None:
        """Wait until the lines are so."""
        try:
            async with asyncio.timeout(BOUND):
                while not condition(self.lines):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError("\n".join(self.lines)) from None

    def _read(self) -> None:
        data = b""
        with contextlib.suppress(OSError):  # the program has ended
            data = os.read(self._master, 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.drawn += data
        self._stream.feed(data)
        self._changed.set()


@contextlib.asynccontextmanager
async def terminal(*command: str, env: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a command in a terminal, and end it in the end.

    Args:
        *command: the program and its arguments.
        env: its environment.
    """
    master, slave = os.openpty()
    loop = asyncio.get_running_loop()
    try:
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        result = Terminal(master)
        result.process = await asyncio.create_subprocess_exec(
            *command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        loop.add_reader(master, result._read)
        try:
            yield result
        finally:
            if result.process.returncode is None:
                result.process.kill()
            await result.process.wait()
    finally:
        loop.remove_reader(master)
        os.close(master)
