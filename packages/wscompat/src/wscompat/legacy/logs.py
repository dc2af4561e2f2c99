"""What a connection logs with: a logger that adds the connection to each record.

It does not keep the connection, which has it: the two would be left to the garbage collector.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..typing import LoggerLike

if TYPE_CHECKING:
    from .protocol import WebSocketCommonProtocol

__all__ = ["ConnectionLogger"]


class ConnectionLogger(logging.LoggerAdapter[LoggerLike]):
    """Logs with another logger; each record has the attribute ``websocket``.

    Args:
        logger: the other logger.
        connection: the connection.
    """

    def __init__(self, logger: LoggerLike, connection: WebSocketCommonProtocol) -> None:
        self.logger = logger
        self._connection = weakref.ref(connection)

    @property
    def extra(self) -> Mapping[str, object]:  # type: ignore[override]
        """The attributes that records have."""
        return {"websocket": self._connection()}
