"""The client's listener factories: called with what they take.

Finding out what a function takes must not cost more than the rest of the handshake.
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

#: Whether a class takes so many arguments.
_classes: WeakKeyDictionary[type, dict[int, bool]] = WeakKeyDictionary()


def check_factory(factory: Any) -> None:
    """Refuse a listener factory that cannot be called.

    Args:
        factory: what is given as `ws_listener_factory`.

    Raises:
        TypeError: if it is not callable.
    """
    if not callable(factory):
        raise TypeError(f"ws_listener_factory must be callable, not {factory!r}")


def make_listener(
    factory: Callable[..., WSListener], request: WSUpgradeRequest, response: WSUpgradeResponse
) -> WSListener:
    """Call a factory: with request and response if it takes them, else with nothing.

    Args:
        factory: the factory.
        request: of the handshake.
        response: of the handshake.

    Returns:
        The listener that it made.

    Raises:
        TypeError: if it made something else.
        RuntimeError: if it is a listener to messages that has a connection already.
    """
    listener = factory(request, response) if takes_arguments(factory, 2) else factory()
    if not isinstance(listener, WSListener):
        raise TypeError(f"the listener factory must return a WSListener, not {listener!r}")
    check_unused(listener)
    return listener


def takes_arguments(called: Callable[..., object], count: int) -> bool:
    """Whether something can be called with so many positional arguments.

    The code of a function says it; `inspect.signature`, which is slow, is for what has no code, and
    is asked once about a class.

    Args:
        called: a function, method, class, or anything else that is called.
        count: how many.

    Returns:
        It; False if it cannot be told.
    """
    function, given = called, count
    if isinstance(called, MethodType):
        function, given = called.__func__, count + 1
    if isinstance(function, FunctionType) and not vars(function):  # not a wrapper of another one
        return _code_takes(function, given)
    if not isinstance(called, type):
        return _signature_takes(called, count)
    known = _classes.setdefault(called, {})
    if count not in known:
        known[count] = _signature_takes(called, count)
    return known[count]


def _code_takes(function: FunctionType, given: int) -> bool:
    """Whether a function can be called with so many positional arguments."""
    code = function.__code__
    needed = code.co_argcount - len(function.__defaults__ or ())
    if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()) or needed > given:
        return False
    return given <= code.co_argcount or bool(code.co_flags & inspect.CO_VARARGS)


def _signature_takes(called: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(called).bind(*[None] * count)
    except (TypeError, ValueError):  # it takes something else, or does not tell
        return False
    return True
