"""The settings that wscore's tests run in: client or server, plain or TLS."""

import pytest

from tests.support.tls import Tls
from tests.wscore.pairs import Setting, Way


@pytest.fixture(params=["plain", "tls"])
def security(request: pytest.FixtureRequest, tls: Tls) -> Tls | None:
    """Run the test over plain TCP and over TLS."""
    return tls if request.param == "tls" else None


@pytest.fixture(params=["client", "server"])
def side(request: pytest.FixtureRequest) -> str:
    """Run the test with wscore as the client and as the server."""
    return str(request.param)


@pytest.fixture
def setting(side: str, security: Tls | None) -> Setting:
    """All four settings."""
    return Setting(side, security)


@pytest.fixture
def plain(side: str) -> Setting:
    """Both sides, over plain TCP only, for what TLS cannot make a difference to."""
    return Setting(side, None)


@pytest.fixture
def both(security: Tls | None) -> Setting:
    """Plain and TLS, for tests with wscore on both sides."""
    return Setting("both", security)


@pytest.fixture(params=["whole", "bytes"])
def each_byte(request: pytest.FixtureRequest) -> bool:
    """Run the test with input in one write, and byte by byte."""
    return bool(request.param == "bytes")


@pytest.fixture(params=["plain", "tls", "plain-bytes"])
def way(request: pytest.FixtureRequest, side: str, tls: Tls) -> Way:
    """Input for both sides: in one write, plain and over TLS, and byte by byte.

    Over TLS every write is a record of its own, so that byte by byte shows nothing new there.
    """
    secured = request.param == "tls"
    return Way(Setting(side, tls if secured else None), request.param == "plain-bytes")
