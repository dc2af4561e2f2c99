"""Tests of `wscompat.auth`, the former place of the older basic authentication."""

import importlib
import sys

import pytest


def test_importing_it_is_deprecated() -> None:
    sys.modules.pop("wscompat.auth", None)
    with pytest.warns(DeprecationWarning, match="wscompat.auth is deprecated"):
        auth = importlib.import_module("wscompat.auth")
    legacy = importlib.import_module("wscompat.legacy.auth")
    assert auth.basic_auth_protocol_factory is legacy.basic_auth_protocol_factory
