"""What the tests with proxies share: an echo server, and a real proxy of each kind.

A proxy is started when the first test asks for it, and runs to the end of the session.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.own_proxies import echo, serving
from tests.support.real_proxies import RealProxy, dante, microsocks, openssh, squid, tinyproxy
from tests.support.tls import Tls

# A password that must be percent-encoded in a URL, and could be found in a log.
USER = "wsuser"
PASSWORD = "p:a@s-sWord"
ENCODED = "p%3Aa%40s-sWord"
# By `openssl passwd -6`.
HASHED = (
    "$6$wsproxy$1N5pMmzPjogUAQ3PcDO8PPpKIHSgRR3xi/EPp7VGEWbzGLW9wL44clCDzdlpUBlSUQmIh0cMbl6CWz"
    "yKd/kaM/"
)


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
    with dante(tmp_path_factory.mktemp("dante")) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def dante_with_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run dante for `USER` with `PASSWORD`, with SOCKS5 only."""
    with dante(tmp_path_factory.mktemp("dante"), (USER, HASHED)) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def ssh_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """Run `ssh -D`."""
    with openssh(tmp_path_factory.mktemp("openssh")) as proxy:
        yield proxy


# Every kind of proxy that is run here, and what its URL looks like. The fixture's name comes first.
WAYS = {
    "tinyproxy": ("http_proxy", "http://127.0.0.1:{port}"),
    "tinyproxy-password": ("http_proxy_with_password", f"http://{USER}:secret@127.0.0.1:{{port}}"),
    "squid-digest": ("digest_proxy", f"http://{USER}:secret@127.0.0.1:{{port}}"),
    "squid-tls": ("digest_proxy", f"https://{USER}:secret@localhost:{{tls_port}}"),
    "dante-socks4": ("socks4_proxy", "socks4://someone:@127.0.0.1:{port}"),
    "dante-socks4a": ("socks4_proxy", "socks4a://127.0.0.1:{port}"),
    "dante-socks5": ("socks4_proxy", "socks5://127.0.0.1:{port}"),
    "dante-socks5-password": (
        "dante_with_password",
        f"socks5://{USER}:{ENCODED}@127.0.0.1:{{port}}",
    ),
    "openssh": ("ssh_proxy", "socks5h://127.0.0.1:{port}"),
    "microsocks": ("socks_proxy", "socks5h://127.0.0.1:{port}"),
    "microsocks-password": (
        "socks_proxy_with_password",
        f"socks5h://{USER}:{ENCODED}@127.0.0.1:{{port}}",
    ),
}


def way(request: pytest.FixtureRequest, name: str) -> str:
    """Start one of the `WAYS`, if it does not run yet, and return its URL."""
    fixture, template = WAYS[name]
    proxy: RealProxy = request.getfixturevalue(fixture)
    return template.format(port=proxy.port, tls_port=proxy.tls_port)


@pytest.fixture(params=WAYS)
def proxy_url(request: pytest.FixtureRequest) -> str:
    """Run the test through a real proxy of every kind; give its URL."""
    return way(request, request.param)
