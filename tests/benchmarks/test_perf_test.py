"""The program for profilers does its work: each API, plain and over TLS, on both loops."""

import re

import pytest

from tests.support.programs import run


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("security", [(), ("--ssl",)], ids=["plain", "tls"])
@pytest.mark.parametrize("api", ["callbacks", "messages"])
def test_messages_come_back(api: str, security: tuple[str, ...], loop: str) -> None:
    size = ("--msg-size", 100, "--in-flight", 4, "--connections", 2)
    how = ("--api", api, "--loop", loop, *security)
    printed = run("benchmarks/perf_test.py", *size, *how, "--seconds", 0.2)
    found = re.fullmatch(
        r"(\d+) messages of 100 bytes in 0\.\d+ s\n"
        r"a message: \d+\.\d\d us of user time, \d+\.\d\d us of system time\n",
        printed,
    )
    assert found
    assert int(found[1]) > 8
