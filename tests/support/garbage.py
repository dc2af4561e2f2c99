"""Finds what reference counting does not free: cycles, which wait for the garbage collector."""

import contextlib
import gc
import itertools
from collections.abc import Iterator

_EVERY = 100  # calls between which objects that are out of collections may become garbage
_calls = itertools.count(1)


def keep_out_of_collections(everything: bool = False) -> None:
    """Let the collections to come ignore all objects that there are now.

    pytest keeps objects of each test. Without this each collection would look at them: after 3,000
    tests that takes 15 ms. From time to time those that have become garbage are freed.

    Args:
        everything: whether to do that now.
    """
    if everything or next(_calls) % _EVERY == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()


@contextlib.contextmanager
def no_cycles_of(*packages: str) -> Iterator[None]:
    """Fail if objects of these packages can be found only by the collector after the block.

    Args:
        *packages: names of top-level packages.
    """
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)  # what is found is kept, to be looked at
    try:
        yield
        gc.collect()
        found = sorted({str(type(each)) for each in gc.garbage if _package(each) in packages})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not found, found


def _package(each: object) -> str:
    return type(each).__module__.partition(".")[0]
