"""Types of the public signatures."""

from __future__ import annotations

import http
import logging
from typing import Any, NewType

__all__ = [
    "BytesLike",
    "Data",
    "DataLike",
    "ExtensionHeader",
    "ExtensionName",
    "ExtensionParameter",
    "LoggerLike",
    "Origin",
    "StatusLike",
    "Subprotocol",
]

Data = str | bytes
"""A message that was received: `str` for a text, `bytes` for a binary message."""

BytesLike = bytes | bytearray | memoryview
"""The types that are sent as a binary message."""

DataLike = str | BytesLike
"""A message to send, or one fragment of it."""

LoggerLike = logging.Logger | logging.LoggerAdapter[Any]
"""A logger, or an adapter around one."""

StatusLike = http.HTTPStatus | int
"""An HTTP status."""

Origin = NewType("Origin", str)
"""The value of an ``Origin`` header field."""

Subprotocol = NewType("Subprotocol", str)
"""The name of a subprotocol."""

ExtensionName = NewType("ExtensionName", str)
"""The name of an extension."""

ExtensionParameter = tuple[str, str | None]
"""A parameter of an extension: its name, and its value if it has one."""

ExtensionHeader = tuple[ExtensionName, list[ExtensionParameter]]
"""One extension in a ``Sec-WebSocket-Extensions`` field."""
