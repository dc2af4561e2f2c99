"""The former name of `wscompat.protocol`."""

import importlib
import sys

import pytest


@pytest.mark.parametrize("package", ["websockets", "wscompat"])
def test_it_still_leads_there(package: str) -> None:
    sys.modules.pop(f"{package}.connection", None)
    with pytest.warns(DeprecationWarning, match="was renamed to"):
        module = importlib.import_module(f"{package}.connection")
    protocol = importlib.import_module(f"{package}.protocol")
    assert module.Connection is protocol.Protocol
    for name in ("SEND_EOF", "Side", "State"):
        assert getattr(module, name) is getattr(protocol, name)
