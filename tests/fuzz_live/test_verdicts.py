"""That differences are seen, and only those with a reason are explained."""

from pathlib import Path

import pytest

from tests.fuzz_live.inputs import Input
from tests.fuzz_live.verdicts import CORE_RULES, RULES, Verdict, explain

DOCS = Path(__file__).parents[2] / "docs" / "development" / "test.md"
HEAD = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
OPEN = Verdict(status=101, count=1, checksum=5, sent=1000, received=1000)


def named(theirs: Verdict, ours: Verdict, frames: bytes = b"", head: bytes = HEAD) -> str | None:
    rule = explain("server", "wscompat", Input(0, [], head, frames), theirs, ours)
    return rule.name if rule else None


def test_what_a_server_sent_is_read() -> None:
    answer = b"HTTP/1.1 101 X\r\nSec-WebSocket-Protocol: chat\r\n\r\n\x8a\x01a\x88\x02\x03\xea"
    verdict = Verdict.from_wire(answer, reset=False)
    assert (verdict.status, verdict.subprotocol) == (101, "chat")
    assert (verdict.pongs, verdict.sent) == (1, 1002)
    assert Verdict.from_wire(b"HTTP/1.1 426 X\r\n\r\n", reset=False).status == 426
    assert Verdict.from_wire(b"", reset=True).status is None


def test_differences_are_named() -> None:
    assert OPEN.differences(OPEN) == ()
    other = Verdict(status=101, count=2, checksum=6, sent=1000, received=1000)
    assert OPEN.differences(other) == ("count", "checksum")


@pytest.mark.parametrize(
    "ours",
    [
        Verdict(status=400),
        Verdict(status=None),
        Verdict(status=101, count=0, sent=1000, received=1000),
        Verdict(status=101, count=1, checksum=6, sent=1000, received=1000),
        Verdict(status=101, count=1, checksum=5, sent=1002),
        Verdict(status=101, count=1, checksum=5, sent=1011),
    ],
)
def test_a_difference_without_a_reason_is_not_explained(ours: Verdict) -> None:
    assert named(OPEN, ours, b"\x82\x01a\x88\x02\x03\xe8") is None


def test_differences_with_a_reason() -> None:
    failed = Verdict(status=101, sent=1002)
    assert named(OPEN, failed, b"\x82\x7e\x00\x01a") == "long length"
    large = Verdict(status=101, sent=1009)
    assert named(large, failed, b"\x82\x7f" + b"\xff" * 8) == "top bit"
    broken = Verdict(status=None)
    assert named(broken, Verdict(status=400), head=HEAD.replace(b": ", b" : ")) == "not HTTP"
    assert named(OPEN, Verdict(status=400), head=HEAD.replace(b"Host", b"Most")) == "Host"


def test_a_message_that_is_missing_is_never_explained_by_an_early_end() -> None:
    theirs = Verdict(status=101, count=2, checksum=5)
    ours = Verdict(status=101, count=1, checksum=6, sent=1002)
    assert named(theirs, ours, b"\x82\x05a") is None


@pytest.mark.parametrize("rule", RULES + CORE_RULES, ids=lambda rule: rule.name)
def test_each_rule_is_documented(rule) -> None:
    assert f"| {rule.name} |" in DOCS.read_text()
