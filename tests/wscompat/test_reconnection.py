"""Attempts to connect are repeated; the clients' own tests compare with websockets."""

import itertools
import logging
from collections.abc import Generator, Iterator

import pytest

from wscompat.reconnection import connect_persistently

LOGGER = logging.getLogger("reconnection")


@pytest.mark.parametrize("failures", [0, 1, 3])
async def test_delays_are_generated_once_and_logged(
    failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", LOGGER.name)
    results = itertools.chain([OSError("no")] * failures, ["connection"])
    generators = []

    class Connector:
        def __await__(self) -> Generator[None, None, str]:
            result = next(results)
            if isinstance(result, Exception):
                raise result
            return result
            yield

    def make_delays() -> Iterator[float]:
        generators.append(None)
        yield from (0, 0.001, 0.002)

    assert await connect_persistently(Connector(), make_delays, LOGGER) == "connection"  # type: ignore[arg-type]
    assert len(generators) == min(failures, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "connect failed; reconnecting in 0.0 seconds: OSError: no"
    ] * failures


@pytest.mark.parametrize("other", [None, KeyError("other")])
async def test_fatal_exceptions(other: Exception | None) -> None:
    first = ValueError("first")

    class Connector:
        def __await__(self) -> Generator[None, None, str]:
            raise first

    with pytest.raises(type(other or first)) as caught:
        await connect_persistently(Connector(), lambda: iter(()), LOGGER, lambda exc: other or exc)  # type: ignore[arg-type, return-value]
    assert caught.value is (other or first)
    assert caught.value.__cause__ is (first if other else None)
