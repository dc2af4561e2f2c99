"""Tests of `wscompat.legacy.deprecated_options`: arguments under their former names."""

import asyncio
import warnings
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


@BOTH
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("timeout", "rename timeout to close_timeout"),
        ("klass", "rename klass to create_protocol"),
        ("loop", "remove loop argument"),
    ],
)
async def test_former_arguments_of_connect(library: Legacy, name: str, text: str) -> None:
    values = {
        "timeout": 3,
        "klass": library.client.WebSocketClientProtocol,
        "loop": asyncio.get_running_loop(),
    }
    with pytest.warns(DeprecationWarning, match=text) as caught:
        library.client.connect("ws://localhost/", **{name: values[name]})
    assert len(caught) == 1
    assert caught[0].filename == __file__ or library is MODEL


async def test_what_they_mean() -> None:
    seen: list[Any] = []

    class Protocol(OURS.client.WebSocketClientProtocol):  # type: ignore[misc,name-defined]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            seen.append((self.close_timeout, self.legacy_recv))
            raise ZeroDivisionError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ZeroDivisionError):
            await OURS.client.connect("ws://x", klass=Protocol, timeout=3, legacy_recv=True)
        with pytest.raises(ZeroDivisionError):
            await OURS.client.connect("ws://x", klass=Protocol, timeout=3, close_timeout=4)
    assert seen == [(3, True), (4, False)]
