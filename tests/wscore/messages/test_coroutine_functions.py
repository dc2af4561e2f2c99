"""Functions that return coroutines are known for that to those who ask."""

import asyncio
import inspect
import sys
from unittest import mock

import pytest

from wscore.messages.coroutine_functions import mark_as_coroutine_function


class Service:
    """Something with a function that is marked."""

    def plain(self) -> None:
        """Nobody's coroutine."""

    def marked(self) -> None:
        """Stands for what a compiled module does."""


mark_as_coroutine_function(Service.marked)


def test_who_asks() -> None:
    assert inspect.iscoroutinefunction(Service.marked) is (sys.version_info >= (3, 12))
    if sys.version_info < (3, 14):  # where it is deprecated
        assert asyncio.iscoroutinefunction(Service.marked)
        assert asyncio.iscoroutinefunction(Service().marked)
        assert not asyncio.iscoroutinefunction(Service.plain)


@pytest.mark.parametrize("make", [mock.create_autospec, lambda spec: mock.AsyncMock(spec=spec)])
def test_mocks(make: object) -> None:
    double = make(Service)  # type: ignore[operator]
    assert isinstance(double.marked, mock.AsyncMock)
    assert not isinstance(double.plain, mock.AsyncMock)
