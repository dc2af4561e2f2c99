"""What the tests with proxies share: an echo server, and a real proxy of each kind.

A proxy is started when the first test asks for it, and runs to the end of the session.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.own_proxies import echo, serving
from tests.support.real_proxies import RealProxy, dante, microsocks, squid, tinyproxy
from tests.support.tls import Tls

# A password that must be percent-encoded in a URL, and could be found in a log.
USER = "wsuser"
PASSWORD = "p:a@s-sWord"
ENCODED = "p%3Aa%40s-sWord"


@pytest_asyncio.fixture
async def echo_port() -> AsyncIterator[int]:
    """Give the port of a target that says hello and then echoes."""
    async with serving(echo) as port:
        yield port


@pytest.fixture(scope="session")
def http_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run tinyproxy, open to everybody here."""
    with tinyproxy(tmp_path_factory.mktemp("tinyproxy")) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def http_proxy_with_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run tinyproxy with basic authentication, for `USER` and the password `secret`."""
    with tinyproxy(tmp_path_factory.mktemp("tinyproxy"), f"{USER} secret") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def socks_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run microsocks, open to everybody here."""
    with microsocks(tmp_path_factory.mktemp("microsocks")) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def socks_proxy_with_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run microsocks for `USER` with `PASSWORD`."""
    with microsocks(tmp_path_factory.mktemp("microsocks"), (USER, PASSWORD)) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def digest_proxy(tls: Tls) -> Iterator[RealProxy]:
    """Run squid with digest authentication and a TLS port, for `USER` and the password `secret`."""
    with squid(tls.cert_file, (USER, "secret")) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def socks4_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run dante, open to everybody here."""
    with dante(tmp_path_factory.mktemp("dante"), "none") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def dante_with_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run dante for users of the system only."""
    with dante(tmp_path_factory.mktemp("dante"), "username") as proxy:
        yield proxy
