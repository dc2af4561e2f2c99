"""The arguments of `connect` and `serve` that are the event loop's own, in both APIs.

websockets passes arguments that are not its own to a method of the loop, which refuses unknown
ones. wscompat opens its sockets otherwise; this file accepts and refuses the same arguments, so
that no argument of wscore is mistaken for one of these.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["Method", "check_arguments"]

Method = Literal[
    "create_connection", "create_server", "create_unix_connection", "create_unix_server"
]

#: Arguments that the methods for TCP sockets accept and ignore if a socket is given.
_FOR_NEW_SOCKETS = {
    "create_connection": {
        *("family", "proto", "flags", "local_addr"),
        *("happy_eyeballs_delay", "interleave", "all_errors"),
    },
    "create_server": {"family", "flags", "reuse_address", "reuse_port", "keep_alive"},
}


def check_arguments(method: Method, given: Mapping[str, Any], *others: str) -> dict[str, Any]:
    """Check the arguments for a method of the running loop.

    Args:
        method: its name.
        given: the arguments, by name.
        *others: names that are allowed beside those of the method.

    Returns:
        The arguments that have an effect.

    Raises:
        TypeError: if the method has no such argument, with the message of asyncio's loops.
        ValueError: if there is neither a path nor a socket where one is needed.
    """
    for name in given:
        if name in others:
            continue
        if name == "protocol_factory":
            raise TypeError(f"{_qualified(method)}() got multiple values for argument {name!r}")
        if name not in _parameters(method):
            raise TypeError(f"{_qualified(method)}() got an unexpected keyword argument {name!r}")
    ignored = _FOR_NEW_SOCKETS.get(method)
    if given.get("sock") is None:
        if ignored is None and given.get("path") is None:
            raise ValueError("no path and sock were specified")
        return dict(given)
    return {name: value for name, value in given.items() if name not in (ignored or ())}


def _qualified(method: Method) -> str:
    name: str = getattr(asyncio.get_running_loop(), method).__qualname__
    return name


@functools.cache
def _parameters(method: Method) -> frozenset[str]:
    """Return the parameters of asyncio's own loops in this version of Python."""
    function = getattr(asyncio.SelectorEventLoop, method)
    return frozenset(inspect.signature(function).parameters) - {"self"}
