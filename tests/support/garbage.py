"""Finds what reference counting does not free: cycles, which wait for the garbage collector."""

import contextlib
import gc
from collections.abc import Iterator


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
