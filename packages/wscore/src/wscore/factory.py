"""The client's listener factories: called with what they take.

Finding out what that is must not cost more than the rest of the handshake.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from weakref import WeakKeyDictionary

from .http import WSUpgradeRequest, WSUpgradeResponse
from .listener import WSListener

__all__ = ["ListenerFactory", "make_listener"]

ListenerFactory = (
    Callable[[], WSListener] | Callable[[WSUpgradeRequest, WSUpgradeResponse], WSListener]
)

#: Whether a class that was given as a factory takes request and response.
_classes: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


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
    """
    listener = factory(request, response) if _takes_both(factory) else factory()
    if not isinstance(listener, WSListener):
        raise TypeError(f"the listener factory must return a WSListener, not {listener!r}")
    return listener


def _takes_both(factory: Callable[..., WSListener]) -> bool:
    """Whether a factory takes two arguments.

    The code of a function says it; `inspect.signature`, which is slow, is for what has no code, and
    is asked once about a class.
    """
    function, given = factory, 2
    if isinstance(factory, MethodType):
        function, given = factory.__func__, 3
    if isinstance(function, FunctionType) and not vars(function):  # not a wrapper of another one
        return _code_takes(function, given)
    if not isinstance(factory, type):
        return _signature_takes_both(factory)
    takes = _classes.get(factory)
    if takes is None:
        takes = _classes[factory] = _signature_takes_both(factory)
    return takes


def _code_takes(function: FunctionType, given: int) -> bool:
    """Whether a function can be called with so many positional arguments."""
    code = function.__code__
    needed = code.co_argcount - len(function.__defaults__ or ())
    if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()) or needed > given:
        return False
    return given <= code.co_argcount or bool(code.co_flags & inspect.CO_VARARGS)


def _signature_takes_both(factory: Callable[..., WSListener]) -> bool:
    try:
        inspect.signature(factory).bind(None, None)
    except (TypeError, ValueError):  # it takes something else, or does not tell
        return False
    return True
