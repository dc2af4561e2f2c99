"""Extension types used in every wrong way: a program that has to survive, for one type at a time.

Run as ``python -m tests.support.misuse MODULE TYPE``. It makes objects without their ``__init__``,
of the type and of a subclass, and uses every attribute and method of them with arguments of all
kinds. Whatever it gets is an exception of Python; it prints the last use before a crash.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import faulthandler
import gc
import importlib
import itertools
import pickle
import pkgutil
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

_HEAPTYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that Python code has made
_BASETYPE = 1 << 10  # Py_TPFLAGS_BASETYPE: a type that may have subclasses

# What is asked of each object beside its own attributes.
BUILTINS: list[Callable[[Any], Any]] = [repr, str, hash, bool, len, iter, next, dir]
BUILTINS += [gc.get_referents, copy.copy, pickle.dumps, memoryview, bytes, list, aiter]

# Of objects: those of Python's own, and those that end the program by what they are for.
_LEFT_OUT = {"__class__", "__new__", "__init_subclass__", "__subclasshook__", "__del__"}


def extension_types(package: str) -> list[type]:
    """Return the extension types of a package's modules, also those without a public name."""
    found = set()
    for name in module_names(package):
        for value in vars(importlib.import_module(name)).values():
            if not isinstance(value, type) or value.__flags__ & _HEAPTYPE:
                continue
            if value.__module__.partition(".")[0] == package:
                found.add(value)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__qualname__))


def module_names(package: str) -> Iterator[str]:
    """Yield the names of a package and of its modules."""
    yield package
    path = importlib.import_module(package).__path__
    for info in pkgutil.walk_packages(path, package + "."):
        if not info.name.endswith("__main__"):
            yield info.name


def bare_objects(kind: Any) -> Iterator[tuple[str, Any]]:
    """Objects that nobody has initialized."""
    makers: dict[str, Callable[[], Any]] = {
        "called": kind,
        "bare": lambda: kind.__new__(kind),
        "bare by object": lambda: object.__new__(kind),
    }
    if kind.__flags__ & _BASETYPE:
        without_init: dict[str, Any] = {"__init__": lambda self, *args, **options: None}
        subclass: Any = type("Sub", (kind,), without_init)
        makers["subclass without __init__"] = subclass
        makers["bare subclass"] = lambda: subclass.__new__(subclass)
    for name, make in makers.items():
        with contextlib.suppress(Exception):
            yield name, make()


def arguments(count: int) -> Iterator[tuple[Any, ...]]:
    """Arguments of all kinds, so many of them."""
    values: tuple[Any, ...] = (
        None,
        0,
        1,
        -1,
        2**40,
        b"abc",
        bytearray(20),
        "text",
        object(),
        [],
        0.5,
    )
    if count < 2:
        yield from itertools.product(values, repeat=count)
        return
    for value in values:
        yield (value,) * count
        yield (value, *(1 for _ in range(count - 1)))
        yield (None, *(value for _ in range(count - 1)))


def use(name: str, value: Any, others: list[Any]) -> None:
    """Call something with everything."""
    print(name, file=sys.stderr, flush=True)
    if not callable(value):
        return
    for count in range(5):
        for given in arguments(count):
            attempt(value, *given)
    for other in others:
        for count in range(1, 4):
            attempt(value, *(other for _ in range(count)))
            attempt(value, other, *(b"abc" for _ in range(count - 1)))


def attempt(function: Callable[..., Any], *given: Any) -> Any:
    """Call something; a coroutine is begun and given up."""
    try:
        result = function(*given)
        if hasattr(result, "send") and hasattr(result, "close"):
            with contextlib.suppress(StopIteration):
                result.send(None)
            result.close()
        elif hasattr(result, "__anext__") and not isinstance(result, types.AsyncGeneratorType):
            result.__anext__().close()
    except SystemError:
        raise
    except (Exception, asyncio.CancelledError):
        return None
    return result


def misuse(kind: type, others: list[Any]) -> None:
    """Use all there is of a type."""
    for name, item in bare_objects(kind):
        for function in BUILTINS:
            attempt(function, item)
        attempt(lambda item=item: item == item)
        for attribute in dir(kind):
            if attribute in _LEFT_OUT or attribute in vars(object):
                continue
            use(
                f"{kind.__qualname__}.{attribute} ({name})",
                attempt(getattr, item, attribute),
                others,
            )
            for value in (None, 1, b"abc", item):
                attempt(setattr, item, attribute, value)
            attempt(delattr, item, attribute)
        for attribute in dir(kind):  # once more, with whatever could be set before
            if attribute not in _LEFT_OUT and attribute not in vars(object):
                attempt(attempt(getattr, item, attribute))
        use(f"{kind.__qualname__}.__init__ ({name})", item.__init__, others)
        del item
        gc.collect()


async def main(module: str, name: str) -> None:
    """Misuse one type, in a running loop and with one that is not."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    kind = next(
        kind
        for kind in extension_types(module.partition(".")[0])
        if (kind.__module__, kind.__qualname__) == (module, name)
    )
    others = []
    for package in ("wsframe", "wscore"):
        for other in extension_types(package):
            others += [item for _, item in itertools.islice(bare_objects(other), 2)]
    misuse(kind, others)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    print("survived")
