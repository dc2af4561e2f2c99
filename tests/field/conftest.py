"""Runs every test that is marked with a case on all that the case applies to."""

import pytest

from tests.field import rows
from tests.field.ends import APIS, Setting
from tests.support.tls import Tls


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "field(name): the case of tests/field/rows.py that the test is about"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the marked tests their settings."""
    mark = metafunc.definition.get_closest_marker("field")
    if mark is None:
        return
    row = rows.BY_NAME[mark.args[0]]
    metafunc.parametrize("security", row.securities)
    metafunc.parametrize("side", row.sides)
    metafunc.parametrize("api", row.apis)


@pytest.fixture
def setting(api: str, side: str, security: str, tls: Tls) -> Setting:
    """Give the setting that the test runs in."""
    return Setting(APIS[api], side, tls if security == "tls" else None)
