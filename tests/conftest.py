"""What every test here gets: two event loops, certificates, and a watch over what is left behind.

The fixtures only wire things together; the work is done in `tests/support`. Nothing in this file
may know one of the four packages, so that each of them can be tested without the ones above it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.garbage import keep_out_of_collections
from tests.support.leaks import LoopErrors, Watch
from tests.support.skips import fail_unless_allowed
from tests.support.tls import Tls, make_tls

# Fixtures: the proxies that the tests of several packages go through.
pytest_plugins = ["tests.support.proxy_fixtures"]

NO_SKIP = any(
    os.environ.get(name, "") not in ("", "0", "false") for name in ("CI", "WS_TESTS_NO_SKIP")
)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every asynchronous test on asyncio's own loop and on uvloop (which Windows lacks)."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop
    }
    if sys.platform != "win32":
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    return factories


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGINT end the programs that tests start: they inherit whether it is ignored.

    It is where a script has started the tests in the background.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what the collection made out of the garbage collections that follow each test."""
    keep_out_of_collections(everything=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Where nothing may be skipped silently, turn a skip that is not allowed into a failure."""
    report = yield
    return fail_unless_allowed(report) if NO_SKIP else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Do the same for a whole file that skips itself."""
    report = yield
    return fail_unless_allowed(report) if NO_SKIP else report


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Give contexts for both sides of a TLS connection to localhost, 127.0.0.1 or ::1."""
    return make_tls(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[LoopErrors | None]:
    """Fail an asynchronous test that leaves a task, a socket or an unhandled exception behind.

    A test that means to cause an unhandled exception asks for this fixture by name, and clears
    the list it gets after looking at it.
    """
    if not pytest_asyncio.is_async_test(request.node):
        yield None
        return
    watch = Watch(request.getfixturevalue("_loop"))
    yield watch.errors
    watch.settle()
    left = watch.left_behind()
    keep_out_of_collections()
    if left:
        pytest.fail("left behind by the test:\n" + "\n".join(left), pytrace=False)


@pytest_asyncio.fixture
async def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
