"""Calling a client's listener factory, with or without arguments.

Inspecting its signature must not cost more than the rest of the handshake.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ..connection.listener import WSListener
from ..connection.message_base import check_unused
from ..handshake.http import WSUpgradeRequest, WSUpgradeResponse

__all__ = ["L", "ListenerFactory", "check_factory", "make_listener", "takes_arguments"]

L = TypeVar("L", bound=WSListener)

ListenerFactory = Callable[[], L] | Callable[[WSUpgradeRequest, WSUpgradeResponse], L]

#: Whether a class takes this many arguments.
_classes: WeakKeyDictionary[type, dict[int, bool]] = WeakKeyDictionary()


def check_factory(factory: Any) -> None:
    """Check that a listener factory can be called.

    Args:
        factory: the argument `ws_listener_factory`.

    Raises:
        TypeError: if it is not callable.
    """
    if not callable(factory):
        raise TypeError(f"ws_listener_factory must be callable, not {factory!r}")


def make_listener(
    factory: Callable[..., WSListener], request: WSUpgradeRequest, response: WSUpgradeResponse
) -> WSListener:
    """Call a factory: with request and response if it takes them, otherwise without arguments.

    Args:
        factory: the factory.
        request: of the handshake.
        response: of the handshake.

    Returns:
        The listener.

    Raises:
        TypeError: if the factory returned something else.
        RuntimeError: if it returned a listener for messages that already has a connection.
    """
    listener = factory(request, response) if takes_arguments(factory, 2) else factory()
    if not isinstance(listener, WSListener):
        raise TypeError(f"the listener factory must return a WSListener, not {listener!r}")
    check_unused(listener)
    return listener


def takes_arguments(called: Callable[..., object], count: int) -> bool:
    """Return whether a callable can be called with this many positional arguments.

    For functions this reads their code object; `inspect.signature`, which is slow, is only for
    other callables, and its result is cached for classes.

    Args:
        called: a function, method, class or other callable.
        count: how many arguments.

    Returns:
        Whether it can; False if that is unknown.
    """
    function, given = called, count
    if isinstance(called, MethodType):
        function, given = called.__func__, count + 1
    # Attributes of a function, such as `__wrapped__`, may change its signature.
    if isinstance(function, FunctionType) and not vars(function):
        return _code_takes(function, given)
    if not isinstance(called, type):
        return _signature_takes(called, count)
    known = _classes.setdefault(called, {})
    if count not in known:
        known[count] = _signature_takes(called, count)
    return known[count]


def _code_takes(function: FunctionType, given: int) -> bool:
    """Return whether a function can be called with this many positional arguments."""
    code = function.__code__
    needed = code.co_argcount - len(function.__defaults__ or ())
    if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()) or needed > given:
        return False
    return given <= code.co_argcount or bool(code.co_flags & inspect.CO_VARARGS)


def _signature_takes(called: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(called).bind(*[None] * count)
    except (TypeError, ValueError):  # the arguments do not fit, or there is no signature
        return False
    return True
