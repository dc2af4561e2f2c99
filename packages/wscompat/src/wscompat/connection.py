"""The former name of `wscompat.protocol`; deprecated."""

import warnings

from .protocol import SEND_EOF, Side, State
from .protocol import Protocol as Connection

__all__ = ["SEND_EOF", "Connection", "Side", "State"]

warnings.warn(
    "wscompat.connection was renamed to wscompat.protocol and Connection to Protocol",
    DeprecationWarning,
    stacklevel=2,
)
