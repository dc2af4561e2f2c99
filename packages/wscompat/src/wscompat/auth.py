"""The former place of `wscompat.legacy.auth`; importing it is deprecated."""

import warnings

from .legacy.auth import BasicAuthWebSocketServerProtocol, basic_auth_protocol_factory

__all__ = ["BasicAuthWebSocketServerProtocol", "basic_auth_protocol_factory"]

warnings.warn(
    f"{__name__} is deprecated: it is wscompat.legacy.auth", DeprecationWarning, stacklevel=2
)
