"""The version is that of the distribution."""

from importlib.metadata import version as version_of

import websockets

import wscompat
from wscompat import version


def test_version() -> None:
    assert version.version == version.tag == version.commit == wscompat.__version__
    assert version.version == version_of("wscompat")


def test_model() -> None:
    major = websockets.__version__.partition(".")[0]
    assert version.model.partition(".")[0] == major
