"""Chromium and Firefox, as they come, talk with wscore and wscompat.

The browser loads a page from wscore; its script echoes text and binary of all sizes, lets each side
close, and reports what it saw; with compression, which the browsers offer, and without.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.browsers import BROWSERS, Browser
from tests.conformance.site import ECHO, SERVER_CLOSE, SUBPROTOCOL, Seen, echo_server, page_server

# Seconds for a browser to start and to do it all; it takes two or three on an idle machine.
BOUND = 50

CLIENT_CLOSE = (4001, "na viděnou 😀")


async def report_of(browser: Browser, url: str, report: asyncio.Future[str], folder: Path) -> Any:
    """Return the page's report, or the browser's own words if it does not."""
    with browser.showing(url, folder) as log:
        try:
            async with asyncio.timeout(BOUND):
                return json.loads(await report)
        except TimeoutError:
            pytest.fail(f"no report; the browser said:\n{log.read_text(errors='replace')[-4000:]}")


def check(result: dict[str, Any], seen: Seen, compressed: bool) -> None:
    assert "error" not in result, result["error"]
    assert result["wrong"] == []
    assert result["echoed"] == 30
    assert result["protocol"] == SUBPROTOCOL
    assert result["extensions"].startswith("permessage-deflate") == compressed
    assert compressed or result["extensions"] == ""
    code, reason = CLIENT_CLOSE
    assert result["closed"] == {"code": code, "reason": reason, "wasClean": True}
    code, reason = SERVER_CLOSE
    expected = {"code": code, "reason": reason, "wasClean": True}
    assert result["closedByServer"] == [expected, expected]
    assert result["closedWithoutCode"] == {"code": 1005, "reason": "", "wasClean": True}
    assert seen.closes == [CLIENT_CLOSE, SERVER_CLOSE, SERVER_CLOSE, (1005, "")]
    assert len(seen.headers) == 4
    for headers in seen.headers:
        assert "permessage-deflate" in headers["Sec-WebSocket-Extensions"]


@pytest.mark.parametrize("browser", BROWSERS, ids=lambda browser: browser.name)
async def test_page(browser: Browser, tmp_path: Path) -> None:
    if not browser.find():
        pytest.skip(f"{' or '.join(browser.programs)} is not installed")
    kinds = [(package, compressed) for package in ECHO for compressed in (False, True)]
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(echo_server(*kind)) for kind in kinds]
        targets = {str(kind): url for kind, (url, _) in zip(kinds, servers, strict=True)}
        url, report = await stack.enter_async_context(page_server(targets))
        told = await report_of(browser, url, report, tmp_path)
    assert browser.engine in told["agent"]
    for kind, (_, seen) in zip(kinds, servers, strict=True):
        check(told["results"][str(kind)], seen, kind[1])
