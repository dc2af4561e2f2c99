"""The factories of extensions and the parameters agreed on, in terms of wscore.

The handshake is that of the factories. If they agree on compression and nothing else, and its
settings are such that wscore has them too, wscore does it; everything else passes through the
extensions in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wscore

from ..asyncio.compression import as_core
from ..extensions.base import Extension
from ..extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

__all__ = ["agreed_parameters", "core_deflate"]


def core_deflate(factories: Sequence[Any] | None) -> wscore.WSDeflate | None:
    """Return wscore's options for compression; None if it cannot or need not do it.

    Args:
        factories: of extensions, or None.
    """
    for factory in factories or ():
        if isinstance(factory, ClientPerMessageDeflateFactory | ServerPerMessageDeflateFactory):
            return as_core(factory)
    return None


def agreed_parameters(
    extensions: Sequence[Extension], is_client: bool
) -> wscore.WSDeflateParameters | None:
    """Return the parameters of compression that both sides have agreed on.

    Args:
        extensions: the extensions of a connection.
        is_client: whether this side is the client.

    Returns:
        It, for wscore; None unless it is compression and nothing else.
    """
    extension = extensions[0] if len(extensions) == 1 else None
    if not isinstance(extension, PerMessageDeflate) or type(extension) is not PerMessageDeflate:
        return None  # a subclass may do anything
    here = extension.local_no_context_takeover, extension.local_max_window_bits
    there = extension.remote_no_context_takeover, extension.remote_max_window_bits
    client, server = (here, there) if is_client else (there, here)
    return wscore.WSDeflateParameters(server[0], client[0], server[1], client[1])
