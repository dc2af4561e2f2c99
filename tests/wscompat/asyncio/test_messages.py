"""Frames that become messages: whatever is put in and asked for, both libraries answer the same."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

BOUND = 5.0
LIBRARIES = ("websockets", "wscompat")

Story = Callable[[Any, ModuleType], Awaitable[list[object]]]


async def story_events(story: Story, library: str, *marks: object) -> list[object]:
    """Return the events of a story with the library's assembler."""
    assembler = importlib.import_module(f"{library}.asyncio.messages").Assembler
    frames = importlib.import_module(f"{library}.frames")
    async with asyncio.timeout(BOUND):
        return await story(assembler(*marks), frames)


async def outcome(awaitable: Awaitable[object]) -> object:
    """Return a result, or the name and text of an exception."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as exc:
        return type(exc).__name__, str(exc)


async def parts(assembler: Any, decode: bool | None = None) -> list[object]:
    """Return all parts of the next message, and the exception that ended reading, if any."""
    found: list[object] = []
    iterator = assembler.get_iter(decode)
    while True:
        try:
            found.append(await anext(iterator))
        except StopAsyncIteration:
            return found
        except Exception as exc:
            return [*found, (type(exc).__name__, str(exc))]


def put(assembler: Any, frames: ModuleType, *contents: bytes, binary: bool = False) -> None:
    """Put a whole message in, of as many frames as there are contents."""
    first = frames.Opcode.BINARY if binary else frames.Opcode.TEXT
    for number, content in enumerate(contents):
        opcode = frames.Opcode.CONT if number else first
        assembler.put(frames.Frame(opcode, content, fin=number == len(contents) - 1))


async def whole_messages(assembler: Any, frames: ModuleType) -> list[object]:
    put(assembler, frames, b"h\xc3", b"\xa9", b"")
    put(assembler, frames, b"\xc3\xa9", binary=True)
    put(assembler, frames, b"\xff")
    put(assembler, frames, b"text")
    put(assembler, frames, b"\xc3\xa9", binary=True)
    chosen = (None, None, None, False, True)
    return [await outcome(assembler.get(decode)) for decode in chosen]


async def messages_in_parts(assembler: Any, frames: ModuleType) -> list[object]:
    put(assembler, frames, b"h\xc3", b"\xa9", b"")
    put(assembler, frames, b"\xc3\xa9", binary=True)
    put(assembler, frames, b"h\xc3", b"\xa9")
    put(assembler, frames, b"\xc3", b"\xa9", binary=True)
    return [await parts(assembler, decode) for decode in (None, None, False, True)]


async def text_that_is_not_utf8(assembler: Any, frames: ModuleType) -> list[object]:
    put(assembler, frames, b"\xff", b"")
    return [await parts(assembler), await outcome(assembler.get())]


async def two_readers(assembler: Any, frames: ModuleType) -> list[object]:
    first = asyncio.ensure_future(assembler.get())
    await asyncio.sleep(0)
    others = [await outcome(assembler.get()), await parts(assembler)]
    put(assembler, frames, b"one")
    return [*others, await outcome(first)]


async def cancelled_within_a_message(assembler: Any, frames: ModuleType) -> list[object]:
    reading = asyncio.ensure_future(assembler.get())
    await asyncio.sleep(0)
    assembler.put(frames.Frame(frames.Opcode.BINARY, b"a", fin=False))
    assembler.put(frames.Frame(frames.Opcode.CONT, b"b", fin=False))
    await asyncio.sleep(0)
    reading.cancel()
    cancelled = await outcome(reading)
    assembler.put(frames.Frame(frames.Opcode.CONT, b"c"))
    return [cancelled, await outcome(assembler.get())]


async def parts_cancelled_before_the_first(assembler: Any, frames: ModuleType) -> list[object]:
    reading = asyncio.ensure_future(anext(assembler.get_iter()))
    await asyncio.sleep(0)
    reading.cancel()
    cancelled = await outcome(reading)
    put(assembler, frames, b"a")
    return [cancelled, await outcome(assembler.get())]


async def parts_not_read_to_their_end(assembler: Any, frames: ModuleType) -> list[object]:
    put(assembler, frames, b"a", b"b")
    iterator = assembler.get_iter()
    found = [await outcome(anext(iterator)), await outcome(assembler.get())]
    await iterator.aclose()
    return [*found, await outcome(assembler.get())]


async def closed(assembler: Any, frames: ModuleType) -> list[object]:
    put(assembler, frames, b"whole")
    assembler.put(frames.Frame(frames.Opcode.TEXT, b"part", fin=False))
    assembler.close()
    assembler.close()
    found = [await outcome(assembler.get()), await outcome(assembler.get())]
    try:
        put(assembler, frames, b"late")
    except EOFError as exc:
        found.append(str(exc))
    return [*found, await parts(assembler)]


async def closed_while_somebody_reads(assembler: Any, frames: ModuleType) -> list[object]:
    reading = asyncio.ensure_future(assembler.get())
    await asyncio.sleep(0)
    assembler.close()
    return [await outcome(reading)]


@pytest.mark.parametrize(
    "story",
    [
        *(whole_messages, messages_in_parts, text_that_is_not_utf8, two_readers),
        *(cancelled_within_a_message, parts_cancelled_before_the_first),
        *(parts_not_read_to_their_end, closed, closed_while_somebody_reads),
    ],
    ids=lambda story: story.__name__,
)
async def test_same_as_model(story: Story) -> None:
    model, ours = [await story_events(story, library) for library in LIBRARIES]
    assert ours == model
    assert ours


@pytest.mark.parametrize("marks", [(2, 1), (4,), (None, 1), (0,), (None, None)], ids=str)
async def test_pauses_as_the_model(marks: tuple[int | None, ...]) -> None:
    def fill_and_empty(events: list[object]) -> Story:
        async def story(assembler: Any, frames: ModuleType) -> list[object]:
            assembler.pause = lambda: events.append("pause")
            assembler.resume = lambda: events.append("resume")
            events.append((assembler.high, assembler.low))
            for number in range(6):
                put(assembler, frames, b"%d" % number)
                events.append(number)
            while events[-1] != "5":
                events.append(await assembler.get())
            return events

        return story

    model, ours = [await story_events(fill_and_empty([]), library, *marks) for library in LIBRARIES]
    assert ours == model


@pytest.mark.parametrize("marks", [(8, 9), (8, -1), (-1,)], ids=str)
async def test_impossible_marks(marks: tuple[int, ...]) -> None:
    texts = []
    for library in LIBRARIES:
        assembler = importlib.import_module(f"{library}.asyncio.messages").Assembler
        with pytest.raises(ValueError, match="low") as caught:
            assembler(*marks)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
