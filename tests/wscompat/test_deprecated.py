"""Tests of `wscompat.deprecated`: older names lead where they lead in websockets."""

import importlib
import warnings

import pytest
import websockets

import wscompat
from wscompat.deprecated import FORMER_NAMES, deprecated_names


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in FORMER_NAMES for name in FORMER_NAMES[module]]
)
def test_names(module: str, name: str) -> None:
    found = []
    for package in (websockets, wscompat):
        home = importlib.import_module(f"{package.__name__}.{module}".rstrip("."))
        with pytest.warns(DeprecationWarning, match=f"{name} is deprecated"):
            found.append(getattr(home, name))
    model, ours = found
    assert model.__name__ == ours.__name__


def test_no_former_name_of_the_package_is_missing() -> None:
    assert {name for name in dir(websockets) if name[0] != "_"} - set(dir(wscompat)) <= {
        *("TYPE_CHECKING", "annotations", "imports", "lazy_import"),
        *("legacy", "speedups", "sync", "trio"),  # modules, if something has imported them
    }


def test_other_names() -> None:
    for module in FORMER_NAMES:
        home = importlib.import_module(f"wscompat.{module}".rstrip("."))
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            home.nonsense  # noqa: B018
    with pytest.raises(AttributeError):
        deprecated_names("wscompat.client")("__path__")


def test_the_warning_names_the_place() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from wscompat.exceptions import InvalidStatusCode

        assert issubclass(InvalidStatusCode, wscompat.InvalidHandshake)
    assert caught
