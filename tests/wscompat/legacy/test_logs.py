"""Tests of `wscompat.legacy.logs`: records have the connection, which nobody else keeps."""

import gc
import logging
import weakref

import pytest

from tests.wscompat.legacy.models import OURS


async def test_records_have_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    connection = OURS.protocol.WebSocketCommonProtocol()
    assert isinstance(connection.logger, logging.LoggerAdapter)
    connection.logger.warning("something %s", "happened")
    (record,) = caplog.records
    assert record.getMessage() == "something happened"
    assert record.__dict__["websocket"] is connection


async def test_the_connection_is_not_kept() -> None:
    gc.disable()
    try:
        connection = OURS.protocol.WebSocketCommonProtocol()
        logger, known = connection.logger, weakref.ref(connection)
        del connection
        assert known() is None
    finally:
        gc.enable()
    logger.warning("it is gone")
    assert logger.extra == {"websocket": None}
