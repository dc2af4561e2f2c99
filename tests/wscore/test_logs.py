"""The loggers of wscore, and the records of the lowest level."""

import logging

import pytest

import wscore
from tests.wscore.pairs import Setting, connected_pair
from wscore.logs import resolve_logger


def test_levels() -> None:
    assert wscore.WSCORE_DEBUG_LL == wscore.PICOWS_DEBUG_LL == 9
    assert wscore.WSCORE_DEBUG_LL < logging.DEBUG


def test_resolve() -> None:
    assert resolve_logger(None, "client") is logging.getLogger("wscore.client")
    assert resolve_logger("mine", "client") is logging.getLogger("wscore.mine")
    assert resolve_logger("", "client") is logging.getLogger("wscore.client")
    own = logging.getLogger("elsewhere")
    assert resolve_logger(own, "client") is own
    adapter = logging.LoggerAdapter(own, {"connection": 1})
    assert resolve_logger(adapter, "client") is adapter
    with pytest.raises(TypeError, match="logger_name must be"):
        resolve_logger(5, "client")  # type: ignore[arg-type]


async def test_default_names(both: Setting, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(wscore.WSCORE_DEBUG_LL, "wscore"):
        async with connected_pair(both):
            pass
    assert {record.name for record in caplog.records if record.name.startswith("wscore")} == {
        "wscore.client",
        "wscore.server",
    }


async def test_given_names(caplog: pytest.LogCaptureFixture) -> None:
    adapter = logging.LoggerAdapter(logging.getLogger("mine"), {"connection": 7})
    caplog.set_level(wscore.WSCORE_DEBUG_LL)
    async with connected_pair(
        Setting("both", None),
        client_options={"logger_name": adapter},
        server_options={"logger_name": "front"},
    ):
        pass
    names = {record.name for record in caplog.records}
    assert {"mine", "wscore.front"} <= names
    assert not {"wscore.client", "wscore.server"} & names
    assert {getattr(r, "connection", None) for r in caplog.records if r.name == "mine"} == {7}


async def test_quiet_above_the_lowest_level(caplog: pytest.LogCaptureFixture) -> None:
    """A connection without errors leaves nothing in the logs of an application."""
    caplog.set_level(logging.DEBUG)
    async with connected_pair(Setting("both", None)) as pair:
        pair.client.send(wscore.WSMsgType.TEXT, "hello")
        await pair.at_server.until("frame")
        pair.client.send_close(wscore.WSCloseCode.OK)
        await pair.at_server.until("frame", 2)
    assert [record for record in caplog.records if record.name.startswith("wscore")] == []
