"""Compression: the factories of this API, and what wscore makes of what they agree on.

The handshake is that of the factories; the messages are compressed and inflated by wscore.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wscore

from ..extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
    enable_client_permessage_deflate,
    enable_server_permessage_deflate,
)

__all__ = ["agreed_parameters", "client_extensions", "core_deflate", "server_extensions"]

_DEFAULT = wscore.WSDeflate()


def client_extensions(
    compression: str | None, extensions: Sequence[Any] | None
) -> Sequence[Any] | None:
    """What a client offers.

    Args:
        compression: ``"deflate"``, or None for no compression.
        extensions: factories of extensions, or None.

    Raises:
        ValueError: if the compression is anything else.
    """
    _check(compression)
    return enable_client_permessage_deflate(extensions) if compression else extensions


def server_extensions(
    compression: str | None, extensions: Sequence[Any] | None
) -> Sequence[Any] | None:
    """What a server accepts.

    Args:
        compression: as for `client_extensions`.
        extensions: likewise.

    Raises:
        ValueError: as for `client_extensions`.
    """
    _check(compression)
    return enable_server_permessage_deflate(extensions) if compression else extensions


def core_deflate(extensions: Sequence[Any] | None) -> wscore.WSDeflate:
    """How wscore compresses, as far as the factories say something about it.

    Args:
        extensions: factories of extensions, or None.
    """
    for factory in extensions or ():
        if isinstance(factory, ClientPerMessageDeflateFactory | ServerPerMessageDeflateFactory):
            settings = factory.compress_settings or {}
            level, memory_level = settings.get("level"), settings.get("memLevel")
            if level is None or level < 0:
                level = None
            if (level, memory_level) != (None, None):
                return wscore.WSDeflate(level=level, memory_level=memory_level or 8)
    return _DEFAULT


def agreed_parameters(
    extensions: Sequence[Any], is_client: bool
) -> wscore.WSDeflateParameters | None:
    """What both sides have agreed on.

    Args:
        extensions: the extensions of a connection.
        is_client: whether this side is the client.

    Returns:
        It, for wscore; None if messages are not compressed.

    Raises:
        TypeError: if there are extensions that wscore does not know.
    """
    if not extensions:
        return None
    (extension, *others) = extensions
    if others or not isinstance(extension, PerMessageDeflate):
        raise TypeError(f"extensions other than permessage-deflate cannot be used: {extensions}")
    here = extension.local_no_context_takeover, extension.local_max_window_bits
    there = extension.remote_no_context_takeover, extension.remote_max_window_bits
    client, server = (here, there) if is_client else (there, here)
    return wscore.WSDeflateParameters(server[0], client[0], server[1], client[1])


def _check(compression: str | None) -> None:
    if compression not in ("deflate", None):
        raise ValueError(f"unsupported compression: {compression}")
