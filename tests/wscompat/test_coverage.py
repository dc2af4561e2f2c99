"""The parts of websockets that are there, and those that the README says are missing."""

import importlib
import inspect
from typing import Any

import pytest
import websockets

import wscompat

#: Arguments that differ on purpose; the other arguments have the same defaults.
OTHER_DEFAULTS = {
    "user_agent_header",
    "server_header",
    "process_exception",
    "reconnect_delays",
}
#: Methods of asyncio's protocols, and steps of the work inside; not for programs.
INTERNAL = {
    "DEFAULT_IS_TEXT",
    "acknowledge_pings",
    "connection_lost",
    "connection_made",
    "data_received",
    "discard",
    "drain",
    "eof_received",
    "handshake",
    "keepalive",
    "process_event",
    "send_context",
    "send_data",
    "set_connection_exc",
    "start_keepalive",
    "terminate_pending_pings",
}


def pair(module: str, name: str) -> tuple[Any, Any]:
    """Return an object of websockets, and ours of the same name."""
    model = getattr(importlib.import_module(f"websockets.{module}"), name)
    return model, getattr(importlib.import_module(f"wscompat.{module}"), name)


def test_names() -> None:
    assert set(websockets.__all__) - set(wscompat.__all__) == set()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("asyncio.client", "connect"),
        ("asyncio.client", "unix_connect"),
        ("asyncio.server", "serve"),
        ("asyncio.server", "unix_serve"),
        ("asyncio.server", "broadcast"),
        ("asyncio.server", "basic_auth"),
        ("asyncio.server", "Server"),
        ("asyncio.router", "route"),
        ("asyncio.router", "unix_route"),
        ("asyncio.router", "Router"),
    ],
)
def test_arguments(module: str, name: str) -> None:
    model, ours = (inspect.signature(found).parameters for found in pair(module, name))
    assert model.keys() - ours.keys() == set()
    for key in model.keys() & ours.keys() - OTHER_DEFAULTS:
        assert (model[key].kind, model[key].default) == (ours[key].kind, ours[key].default), key


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("asyncio.connection", "Connection"),
        ("asyncio.client", "ClientConnection"),
        ("asyncio.server", "ServerConnection"),
        ("asyncio.server", "Server"),
        ("asyncio.router", "Router"),
    ],
)
def test_attributes(module: str, name: str) -> None:
    model, ours = pair(module, name)
    public = {attribute for attribute in dir(model) if not attribute.startswith("_")}
    assert public - set(dir(ours)) - INTERNAL == set()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("client", "ClientProtocol"),
        ("extensions", "ClientExtensionFactory"),
        ("extensions", "Extension"),
        ("extensions", "ServerExtensionFactory"),
        ("extensions.permessage_deflate", "ClientPerMessageDeflateFactory"),
        ("extensions.permessage_deflate", "PerMessageDeflate"),
        ("extensions.permessage_deflate", "ServerPerMessageDeflateFactory"),
        ("frames", "Close"),
        ("frames", "Frame"),
        ("http11", "Request"),
        ("http11", "Response"),
        ("protocol", "Protocol"),
        ("server", "ServerProtocol"),
        ("streams", "StreamReader"),
        ("uri", "WebSocketURI"),
    ],
)
def test_classes_without_io(module: str, name: str) -> None:
    model, ours = pair(module, name)
    names = {attribute for attribute in dir(model) if not attribute.startswith("_")}
    assert names - set(dir(ours)) - INTERNAL == set()
    for method in ["__init__", *(found for found in names if callable(getattr(model, found)))]:
        if method in INTERNAL:
            continue
        theirs = inspect.signature(getattr(model, method)).parameters
        assert same_arguments(theirs, inspect.signature(getattr(ours, method)).parameters), method


def same_arguments(model: Any, ours: Any) -> bool:
    """Return whether arguments have the same names, kinds and defaults."""
    return [(found.name, found.kind, str(found.default)) for found in model.values()] == [
        (found.name, found.kind, str(found.default)) for found in ours.values()
    ]


@pytest.mark.parametrize(
    "module",
    [
        *("asyncio.client", "asyncio.messages", "asyncio.router", "asyncio.server", "client"),
        "datastructures",
        *("exceptions", "extensions", "extensions.base", "extensions.permessage_deflate"),
        *("frames", "headers", "http11", "protocol", "server", "typing", "uri", "utils"),
        "version",
    ],
)
def test_modules(module: str) -> None:
    model = importlib.import_module(f"websockets.{module}")
    ours = importlib.import_module(f"wscompat.{module}")
    assert set(model.__all__) - set(ours.__all__) == set()


@pytest.mark.parametrize("module", ["headers", "utils", "client", "uri"])
def test_functions(module: str) -> None:
    model, ours = (
        importlib.import_module(f"{name}.{module}") for name in ("websockets", "wscompat")
    )
    for name in model.__all__:
        function = getattr(model, name)
        if inspect.isroutine(function):
            theirs, found = (
                inspect.signature(f).parameters for f in (function, getattr(ours, name))
            )
            assert same_arguments(theirs, found), name
