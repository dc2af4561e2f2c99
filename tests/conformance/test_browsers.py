"""Chromium and Firefox, as they come, talk with wscore and wscompat.

The browser loads a page from wscore; its script echoes text and binary of all sizes, lets each side
close, and reports what it saw. Without compression: the browsers offer it, the servers decline.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.browsers import BROWSERS, Browser
from tests.conformance.site import SERVER_CLOSE, SUBPROTOCOL, Seen, echo_server, page_server

# Seconds for a browser to start and to do it all; it takes two or three on an idle machine.
BOUND = 50

CLIENT_CLOSE = (4001, "na viděnou 😀")


async def report_of(browser: Browser, url: str, report: asyncio.Future[str], folder: Path) -> Any:
    """What the page reports, or the browser's own words if it does not."""
    with browser.showing(url, folder) as log:
        try:
            async with asyncio.timeout(BOUND):
                return json.loads(await report)
        except TimeoutError:
            pytest.fail(f"no report; the browser said:\n{log.read_text(errors='replace')[-4000:]}")


def check(result: dict[str, Any], seen: Seen) -> None:
    assert "error" not in result, result["error"]
    assert result["wrong"] == []
    assert result["echoed"] == 30
    assert result["protocol"] == SUBPROTOCOL
    assert result["extensions"] == ""
    code, reason = CLIENT_CLOSE
    assert result["closed"] == {"code": code, "reason": reason, "wasClean": True}
    code, reason = SERVER_CLOSE
    assert result["closedByServer"] == {"code": code, "reason": reason, "wasClean": True}
    assert result["closedWithoutCode"] == {"code": 1005, "reason": "", "wasClean": True}
    assert seen.closes == [CLIENT_CLOSE, SERVER_CLOSE, (1005, "")]
    assert len(seen.headers) == 3
    for headers in seen.headers:
        assert "permessage-deflate" in headers["Sec-WebSocket-Extensions"]


@pytest.mark.parametrize("browser", BROWSERS, ids=lambda browser: browser.name)
async def test_page(browser: Browser, tmp_path: Path) -> None:
    if not browser.find():
        pytest.skip(f"{' or '.join(browser.programs)} is not installed")
    async with (
        echo_server("wscore") as (core, core_seen),
        echo_server("wscompat") as (compat, compat_seen),
        page_server({"wscore": core, "wscompat": compat}) as (url, report),
    ):
        told = await report_of(browser, url, report, tmp_path)
    assert browser.engine in told["agent"]
    check(told["results"]["wscore"], core_seen)
    check(told["results"]["wscompat"], compat_seen)
