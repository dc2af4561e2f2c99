"""The message reader's queue, compared with `collections.deque`."""

import random
import sys
from collections import deque

import pytest

from wscore.messages.item_queue import ItemQueue


def test_order() -> None:
    queue = ItemQueue()
    for item in "abc":
        queue.append(item)
    queue.appendleft("first")
    assert [queue.popleft() for _ in range(queue.size)] == ["first", "a", "b", "c"]


def test_empty() -> None:
    queue = ItemQueue()
    with pytest.raises(IndexError):
        queue.popleft()
    queue.append(1)
    queue.popleft()
    with pytest.raises(IndexError, match="empty"):
        queue.popleft()


@pytest.mark.parametrize("seed", range(20))
def test_as_a_deque(seed: int) -> None:
    """Any sequence of calls, growing through several capacities and around the ring's end."""
    rng = random.Random(seed)
    queue, model = ItemQueue(), deque[int]()
    for step in range(3000):
        if model and rng.random() < 0.45:
            assert queue.popleft() == model.popleft()
        elif rng.random() < 0.2:
            queue.appendleft(step)
            model.appendleft(step)
        else:
            queue.append(step)
            model.append(step)
        assert queue.size == len(model)
    assert [queue.popleft() for _ in range(queue.size)] == list(model)


@pytest.mark.parametrize(
    ("item", "size"),
    [("ascii", 5), ("ab€", 6), ("ab😀", 12), ("aé", 2), (b"bytes", 5), ("", 0), (None, 0)],
)
def test_bytes(item: object, size: int) -> None:
    """A str counts as Python stores it: one wide character makes all of them wide."""
    queue = ItemQueue()
    queue.append(item)
    queue.appendleft(item)
    assert queue.bytes == 2 * size
    queue.popleft()
    assert queue.bytes == size
    queue.popleft()
    assert queue.bytes == 0


@pytest.mark.parametrize("seed", range(20))
def test_bytes_of_any_sequence(seed: int) -> None:
    """They are those of the queued items, regardless of the end at which each was put."""
    rng = random.Random(seed)
    queue, model = ItemQueue(), deque[bytes]()
    for _ in range(500):
        item = bytes(rng.randrange(1000))
        if model and rng.random() < 0.45:
            queue.popleft()
            model.popleft()
        elif rng.random() < 0.5:
            queue.appendleft(item)
            model.appendleft(item)
        else:
            queue.append(item)
            model.append(item)
        assert queue.bytes == sum(map(len, model))


def test_references() -> None:
    """Each item has one reference while it is queued, released with the queue."""
    queue, item = ItemQueue(), object()
    before = sys.getrefcount(item)
    for _ in range(40):
        queue.append(item)
        queue.appendleft(item)
    assert sys.getrefcount(item) == before + 80
    queue.popleft()
    assert sys.getrefcount(item) == before + 79
    del queue
    assert sys.getrefcount(item) == before
