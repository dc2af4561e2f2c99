"""Functions that return coroutines are recognised as coroutine functions."""

import asyncio
import inspect
import sys
from unittest import mock

import pytest

from wscore.messages.coroutine_functions import mark_as_coroutine_function


class Service:
    """A class with a marked function."""

    def plain(self) -> None:
        """Return no coroutine."""

    def marked(self) -> None:
        """Do the same as a compiled module."""


mark_as_coroutine_function(Service.marked)


def test_who_asks() -> None:
    assert inspect.iscoroutinefunction(Service.marked) is (sys.version_info >= (3, 12))
    if sys.version_info < (3, 14):  # in versions where it is deprecated
        assert asyncio.iscoroutinefunction(Service.marked)
        assert asyncio.iscoroutinefunction(Service().marked)
        assert not asyncio.iscoroutinefunction(Service.plain)


@pytest.mark.parametrize("make", [mock.create_autospec, lambda spec: mock.AsyncMock(spec=spec)])
def test_mocks(make: object) -> None:
    double = make(Service)  # type: ignore[operator]
    assert isinstance(double.marked, mock.AsyncMock)
    assert not isinstance(double.plain, mock.AsyncMock)
