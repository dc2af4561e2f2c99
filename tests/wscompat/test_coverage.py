"""What of websockets' asyncio API is there and what is not, so that the README tells the truth."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import websockets

import wscompat

README = Path(__file__).parents[2] / "packages" / "wscompat" / "README.md"

SANS_IO = {"ClientProtocol", "Frame", "Protocol", "ServerProtocol"}
MISSING_ARGUMENTS = {"connect": {"extensions"}, "serve": {"extensions", "process_response"}}
#: What differs on purpose; the other arguments have the same defaults.
OTHER_DEFAULTS = {
    "compression",
    "user_agent_header",
    "server_header",
    "process_exception",
    "reconnect_delays",
}
#: Methods of asyncio's protocols, and steps of the work inside; not for programs.
INTERNAL = {
    "acknowledge_pings",
    "connection_lost",
    "connection_made",
    "data_received",
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
    """An object of websockets, and ours of the same name."""
    model = getattr(importlib.import_module(f"websockets.{module}"), name)
    return model, getattr(importlib.import_module(f"wscompat.{module}"), name)


def test_names() -> None:
    assert set(websockets.__all__) - set(wscompat.__all__) == SANS_IO
    readme = README.read_text("utf-8")
    for name in SANS_IO | set().union(*MISSING_ARGUMENTS.values()):
        assert f"`{name}`" in readme or f"`{name}=`" in readme, name


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
    assert model.keys() - ours.keys() == MISSING_ARGUMENTS.get(name, set())
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
    ("module", "missing"),
    [
        ("asyncio.client", set()),
        ("asyncio.server", set()),
        ("asyncio.router", set()),
        ("datastructures", set()),
        ("exceptions", set()),
        ("frames", {"Frame"}),
        ("headers", set()),
        ("http11", set()),
        ("protocol", {"Protocol", "SEND_EOF"}),
        ("typing", set()),
        ("uri", set()),
        ("version", set()),
    ],
)
def test_modules(module: str, missing: set[str]) -> None:
    model = importlib.import_module(f"websockets.{module}")
    ours = importlib.import_module(f"wscompat.{module}")
    assert set(model.__all__) - set(ours.__all__) == missing
