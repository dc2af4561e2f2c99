"""Decides which skipped tests are fine where everything has to run.

A skip is allowed when its reason begins with `lacking:`; it is for what a version of Python, an
event loop or an operating system does not have, never for a program that could be installed.
"""

import ssl
import sys
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

LACKING = "lacking: "


def lacking(what: str) -> str:
    """Return the reason of a skip that is allowed, such as `lacking("eager tasks before 3.12")`."""
    return LACKING + what


# A Python whose own modules are built in may have OpenSSL within itself.
shared_openssl = pytest.mark.skipif(
    not hasattr(sys.modules[ssl.MemoryBIO.__module__], "__file__"),
    reason=lacking("OpenSSL as a shared library"),
)


def fail_unless_allowed(report: Report) -> Report:
    """Return the report, failed if it says that something was skipped without a good reason."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = _reason(report)
    if reason.startswith(LACKING):
        return report
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: skipped where nothing may be skipped: {reason}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
