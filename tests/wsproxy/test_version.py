"""The version is one and the same everywhere it can be asked for."""

from importlib.metadata import version

import wsproxy
import wsproxy.version


def test_package_and_distribution_agree() -> None:
    assert wsproxy.__version__ == wsproxy.version.__version__ == version("wsproxy-asyncio")
