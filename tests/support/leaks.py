"""Finds what a test left behind in its event loop: tasks, sockets, exceptions nobody handled.

It only looks: it closes and cancels nothing, since that would hide the fault from the next look.
"""

import asyncio
import gc
import os
import socket
from pathlib import Path
from typing import Any

import pytest

LoopErrors = list[dict[str, Any]]

# How long a connection that has been told to close may take. Only a test that fails waits for it.
SETTLE_SECONDS = 1.0

_DESCRIPTORS = Path("/proc/self/fd")


def open_sockets() -> set[str]:
    """Return the sockets this process has open, as `socket:[inode]`; empty where nobody tells."""
    found = set()
    if _DESCRIPTORS.is_dir():
        for entry in _DESCRIPTORS.iterdir():
            try:
                target = str(entry.readlink())
            except OSError:  # the descriptor that lists the directory is gone by now
                continue
            if target.startswith("socket:"):
                found.add(target)
    return found


class Watch:
    """The state of a loop before a test began, to compare with what it is at the end.

    All its methods are for the time when the loop does not run: uvloop has sockets of its own
    while it does, and other ones each time.

    Args:
        loop: the loop the test will run on. Its exception handler is replaced; a test that sets
            one of its own takes over the duty to look at it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.errors: LoopErrors = []
        self._loop = loop
        self._sockets = open_sockets()
        self._tasks = asyncio.all_tasks(loop)
        loop.set_exception_handler(self._on_error)

    def settle(self) -> None:
        """Turn the loop until nothing is left, or for as long as a close may take."""
        self._loop.run_until_complete(self._settle(open_sockets()))

    def left_behind(self) -> list[str]:
        """Return one line for each thing that is still there."""
        lines = [f"task: {task!r}" for task in self._pending()]
        lines += [f"{name} {_describe(name)}" for name in sorted(self._new_sockets())]
        for context in self.errors:
            error = context.get("exception")
            lines.append(f"unhandled: {context.get('message')} {error!r}")
        return lines

    async def _settle(self, before: set[str]) -> None:
        own = open_sockets() - before
        this = asyncio.current_task()
        await asyncio.sleep(0)
        # A task or transport in a reference cycle reports its fault only when it is collected.
        gc.collect()
        deadline = self._loop.time() + SETTLE_SECONDS
        while self._pending() - {this} or self._new_sockets() - own:
            if self._loop.time() > deadline:
                break
            await asyncio.sleep(0)

    def _pending(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks(self._loop) - self._tasks

    def _new_sockets(self) -> set[str]:
        return open_sockets() - self._sockets

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(context)
        # The time limit of a test is an exception out of a signal handler. uvloop hands it over
        # here and waits on, so that the test has to be ended from here.
        if isinstance(context.get("exception"), pytest.fail.Exception):
            for task in self._pending():
                task.cancel("the test took too long")


def _describe(name: str) -> str:
    """Say what kind of socket it is, and whom it connects."""
    for entry in _DESCRIPTORS.iterdir():
        try:
            if str(entry.readlink()) != name:
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as copy:
                return f"{copy.family.name} {copy.getsockname()} to {_peer(copy)}"
        except OSError:
            continue
    return "(closed meanwhile)"


def _peer(connection: socket.socket) -> object:
    try:
        return connection.getpeername()
    except OSError:
        return "nobody"
