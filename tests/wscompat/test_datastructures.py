"""Headers behave as those of websockets: the same actions on both, with the same outcome."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import websockets.datastructures

from wscompat.datastructures import Headers, MultipleValuesError
from wscompat.exceptions import InvalidHeaderValue

Action = Callable[[Any], Any]


def outcome(action: Action, headers: Any) -> tuple[Any, ...]:
    """Return the result or exception of an action, and the state after it."""
    try:
        result = action(headers)
    except Exception as exc:
        return "raised", type(exc).__name__, str(exc), repr(headers)
    return "gave", repr(result), repr(headers)


def filled(kind: Any) -> Any:
    return kind([("One", "1"), ("Two", "2"), ("two", "zwei")])


@pytest.mark.parametrize(
    "action",
    [
        str,
        len,
        list,
        bool,
        lambda h: h.serialize(),
        lambda h: h["ONE"],
        lambda h: h["two"],
        lambda h: h["none"],
        lambda h: (h.get("one"), h.get("none"), h.get("none", "default")),
        lambda h: h.get("Two"),
        lambda h: (h.get_all("TWO"), h.get_all("none")),
        lambda h: h.get_all("two").append("x"),
        lambda h: list(h.raw_items()),
        lambda h: list(h.keys()),
        lambda h: list(h.items()),
        lambda h: ("oNe" in h, "none" in h, 3 in h),
        lambda h: h.__setitem__("one", "eins"),
        lambda h: h.__setitem__("Three", "é\tü"),
        lambda h: h.__setitem__("Three", "a\r\nb"),
        lambda h: h.__setitem__("Three", "a\x00"),
        lambda h: h.__setitem__("Three", "日"),
        lambda h: h.set_insecure("Three", "a\r\nb"),
        lambda h: h.__delitem__("tWO"),
        lambda h: h.__delitem__("none"),
        lambda h: h.pop("one"),
        lambda h: h.setdefault("four", "4"),
        lambda h: h.setdefault("one", "4"),
        lambda h: h.clear(),
        lambda h: h.update({"a": "1"}, b="2"),
        lambda h: h.update([("a", "1"), ("A", "2")]),
        lambda h: h.update(type(h)([("a", "1"), ("A", "2")])),
        lambda h: h.update(),
        lambda h: h == type(h)([("one", "1"), ("TWO", "2"), ("two", "zwei")]),
        lambda h: h == type(h)([("two", "2"), ("TWO", "zwei"), ("one", "1")]),
        lambda h: h == type(h)([("one", "1")]),
        lambda h: h == {"one": "1"},
        lambda h: type(h)({"a": "1"}, [("b", "2")], c="3"),
        lambda h: type(h)("abc"),
        lambda h: type(h)(None),
    ],
    ids=itertools.count(),
)
def test_same_as_the_model(action: Action) -> None:
    assert outcome(action, filled(Headers)) == outcome(
        action, filled(websockets.datastructures.Headers)
    )


def test_a_copy_is_independent() -> None:
    headers = filled(Headers)
    copy = headers.copy()
    copy["Two"] = "deux"
    del copy["one"]
    assert repr(headers) == repr(filled(Headers))
    assert copy.get_all("two") == ["2", "zwei", "deux"]


def test_exceptions() -> None:
    with pytest.raises(MultipleValuesError):
        filled(Headers)["two"]
    with pytest.raises(InvalidHeaderValue):
        Headers({"a": "b\nc"})
    assert issubclass(MultipleValuesError, LookupError)
    for arguments in ((), ("x",), ("x", "y")):
        assert str(MultipleValuesError(*arguments)) == str(
            websockets.datastructures.MultipleValuesError(*arguments)
        )
