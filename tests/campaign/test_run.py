"""That a campaign runs, finds nothing where nothing is wrong, and leaves nothing behind."""

import os
import sys
from pathlib import Path

import pytest

from tests.support.skips import lacking

if sys.platform != "linux":
    pytest.skip(lacking("the campaign looks into /proc"), allow_module_level=True)

from tests.campaign.run import Campaign, Settings


def children() -> set[str]:
    me = os.getpid()
    return {name for name in Path(f"/proc/{me}/task/{me}/children").read_text().split() if name}


def test_one_round_of_websockets() -> None:
    """Of the model, so that this is a test of the campaign alone."""
    before = children()
    lines: list[str] = []
    settings = Settings(0, seed=1, family="websockets", rounds=[623347347957], connections=4)
    campaign = Campaign(settings, lines.append)
    assert campaign.run(), lines
    assert campaign.tally.connections >= 4
    assert campaign.tally.sent > 0
    assert any("polite peers" in line for line in lines)
    assert children() == before
