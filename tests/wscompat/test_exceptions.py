"""The exceptions are those of websockets: names, hierarchy, messages, attributes, arguments."""

import inspect
import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
import websockets.datastructures
import websockets.exceptions
import websockets.frames
import websockets.http11

import wscompat.datastructures
import wscompat.exceptions
import wscompat.frames
import wscompat.http11

NAMES = websockets.exceptions.__all__


class Kit:
    """The arguments of exceptions, in one library."""

    def __init__(self, package: Any) -> None:
        self.exceptions: ModuleType = package.exceptions
        self.ok = package.frames.Close(1000, "")
        self.away = package.frames.Close(1001, "čau")
        self.own = package.frames.Close(4000, "x")
        headers = package.datastructures.Headers([("a", "b")])
        self.response = package.http11.Response(404, "Nope", headers, b"body")


OURS, MODEL = Kit(wscompat), Kit(websockets)


def test_names() -> None:
    assert set(wscompat.exceptions.__all__) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_tree(name: str) -> None:
    def bases(kit: Kit) -> list[str]:
        return [base.__name__ for base in getattr(kit.exceptions, name).__mro__]

    assert bases(OURS) == bases(MODEL)


@pytest.mark.parametrize("name", NAMES)
def test_arguments(name: str) -> None:
    def arguments(kit: Kit) -> list[tuple[str, Any]] | None:
        try:
            signature = inspect.signature(getattr(kit.exceptions, name))
        except ValueError:
            return None
        return [(p.name, p.default) for p in signature.parameters.values()]

    assert arguments(OURS) == arguments(MODEL)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, ["a text"]) for name in NAMES if name.endswith(("Message", "TooLong"))),
        ("TooManyHeaders", ["a text"]),
        ("TooManyFragments", [4]),
        ("ConcurrencyError", ["a text"]),
        ("InvalidState", ["a text"]),
        ("NegotiationError", ["a text"]),
        ("ProtocolError", ["a text"]),
        ("WebSocketException", []),
        ("InvalidURI", ["uri", "why"]),
        ("InvalidProxy", ["proxy", "why"]),
        ("InvalidMethod", ["POST"]),
        ("InvalidProtocol", ["HTTP/1.0"]),
        *(("InvalidHeader", ["N", *value]) for value in ([], ["v"], [""])),
        ("InvalidHeaderFormat", ["N", "error", "a, b", 2]),
        ("InvalidHeaderValue", ["N"]),
        ("InvalidOrigin", [None]),
        ("InvalidOrigin", ["http://x"]),
        ("InvalidUpgrade", ["Upgrade", "h2"]),
        ("DuplicateParameter", ["n"]),
        ("InvalidParameterName", ["n"]),
        *(("InvalidParameterValue", ["n", value]) for value in (None, "", "v")),
        *(("PayloadTooBig", list(sizes)) for sizes in ((3, 1), (3, 1, 2), (None, 1), (None, 1, 2))),
    ],
)
def test_texts_and_attributes(name: str, arguments: list[Any]) -> None:
    check_same(name, arguments, arguments)


@pytest.mark.parametrize("name", ["InvalidStatus", "InvalidProxyStatus"])
def test_exceptions_with_a_response(name: str) -> None:
    ours = getattr(wscompat.exceptions, name)(OURS.response)
    model = getattr(websockets.exceptions, name)(MODEL.response)
    assert str(ours) == str(model)
    assert ours.response is OURS.response


@pytest.mark.parametrize(
    "closes",
    [
        ("ok", "ok", True),
        ("ok", "away", False),
        ("own", None, None),
        (None, "own", None),
        (None, None, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ConnectionClosed")])
def test_connection_closed(name: str, closes: tuple[Any, ...]) -> None:
    def arguments(kit: Kit) -> list[Any]:
        return [getattr(kit, item) if isinstance(item, str) else item for item in closes]

    check_same(name, arguments(OURS), arguments(MODEL))
    ours = getattr(wscompat.exceptions, name)(*arguments(OURS))
    model = getattr(websockets.exceptions, name)(*arguments(MODEL))
    for old in ("code", "reason"):
        with pytest.deprecated_call():
            value = getattr(ours, old)
        with pytest.deprecated_call():
            assert value == getattr(model, old)


def test_connection_closed_refuses_an_order_without_both() -> None:
    with pytest.raises(ValueError):
        wscompat.exceptions.ConnectionClosed(OURS.ok, None, True)
    with pytest.raises(ValueError):
        wscompat.exceptions.ConnectionClosed(OURS.ok, OURS.ok)


def test_payload_too_big_learns_the_size_of_the_message() -> None:
    ours = wscompat.exceptions.PayloadTooBig(3, 1)
    model = websockets.exceptions.PayloadTooBig(3, 1)
    ours.set_current_size(7)
    model.set_current_size(7)
    assert (str(ours), vars(ours)) == (str(model), vars(model))


def test_payload_too_big_with_a_text_is_deprecated() -> None:
    with pytest.deprecated_call():
        ours = wscompat.exceptions.PayloadTooBig("a text")
    with pytest.deprecated_call():
        model = websockets.exceptions.PayloadTooBig("a text")
    ours.set_current_size(7)
    assert (str(ours), repr(ours), vars(ours)) == (str(model), repr(model), vars(model))


def test_pickled_and_back() -> None:
    exc = wscompat.exceptions.ConnectionClosedError(OURS.own, OURS.ok, True)
    back = pickle.loads(pickle.dumps(exc))
    assert type(back) is type(exc)
    assert str(back) == str(exc)


def check_same(name: str, arguments: list[Any], model_arguments: list[Any]) -> None:
    ours = getattr(wscompat.exceptions, name)(*arguments)
    model = getattr(websockets.exceptions, name)(*model_arguments)
    assert (str(ours), repr(ours)) == (str(model), repr(model))
    assert {key: repr(value) for key, value in vars(ours).items()} == {
        key: repr(value) for key, value in vars(model).items()
    }


def test_importing_the_exceptions_loads_no_connections() -> None:
    code = "import sys, wscompat.exceptions; sys.exit('wscore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
