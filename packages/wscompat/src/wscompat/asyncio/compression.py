"""What ``compression=`` and ``extensions=`` of `connect` and `serve` mean to wscore.

Where compression is the only extension, and is asked for in terms that wscore knows, wscore does
it. Everything else is left to the factories of the extensions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import wscore

from ..extensions.base import ClientExtensionFactory, ServerExtensionFactory
from ..extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
    enable_client_permessage_deflate,
    enable_server_permessage_deflate,
)

__all__ = ["as_core", "check_compression", "client_extensions", "server_extensions"]

_SETTINGS = {"level": "level", "memLevel": "memory_level"}
_ZLIB_MEMORY_LEVEL = 8  # what zlib takes if it is told none


def client_extensions(
    compression: str | None,
    extensions: Sequence[ClientExtensionFactory] | None,
    in_python: bool = False,
) -> tuple[wscore.WSDeflate | None, Sequence[ClientExtensionFactory] | None]:
    """What a client offers.

    Args:
        compression: ``"deflate"``, or None for no compression other than that of `extensions`.
        extensions: factories, or None.
        in_python: whether nothing is left to wscore.

    Returns:
        What wscore offers, and the factories that it knows nothing of; one of them is None.

    Raises:
        ValueError: if the compression is another one.
    """
    check_compression(compression)
    if compression is not None:
        if extensions is None and not in_python:
            return _default_offer()
        extensions = enable_client_permessage_deflate(extensions)
    return (None, extensions or ()) if in_python else _offer(extensions)


@functools.cache  # it is the same with each connection
def _default_offer() -> tuple[wscore.WSDeflate | None, Sequence[ClientExtensionFactory] | None]:
    return _offer(enable_client_permessage_deflate(None))


def _offer(
    extensions: Sequence[ClientExtensionFactory] | None,
) -> tuple[wscore.WSDeflate | None, Sequence[ClientExtensionFactory] | None]:
    if not extensions:
        return None, None
    (first, *others) = extensions
    if others or type(first) is not ClientPerMessageDeflateFactory:
        return None, extensions
    deflate = as_core(first)
    return (None, extensions) if deflate is None else (deflate, None)


def server_extensions(
    compression: str | None,
    extensions: Sequence[ServerExtensionFactory] | None,
) -> tuple[wscore.WSDeflate | None, Sequence[ServerExtensionFactory] | None]:
    """What a server accepts; by default with small windows, which save memory on both sides.

    Args:
        compression: as for `client_extensions`.
        extensions: as for `client_extensions`.

    Returns:
        As for `client_extensions`.

    Raises:
        ValueError: as for `client_extensions`.
    """
    check_compression(compression)
    if compression is not None:
        extensions = enable_server_permessage_deflate(extensions)
    if not extensions:
        return None, None
    (first, *others) = extensions
    if others or type(first) is not ServerPerMessageDeflateFactory:
        return None, extensions
    if first.require_client_max_window_bits:
        return None, extensions
    deflate = as_core(first)
    return (None, extensions) if deflate is None else (deflate, None)


def as_core(
    factory: ClientPerMessageDeflateFactory | ServerPerMessageDeflateFactory,
) -> wscore.WSDeflate | None:
    """The same in terms of wscore.

    Args:
        factory: says how to compress.

    Returns:
        It, or None if wscore has nothing that is the same.
    """
    settings: Mapping[str, Any] = {
        "memLevel": _ZLIB_MEMORY_LEVEL,
        **(factory.compress_settings or {}),
    }
    if not settings.keys() <= _SETTINGS.keys():
        return None
    try:
        return wscore.WSDeflate(
            server_no_context_takeover=factory.server_no_context_takeover,
            client_no_context_takeover=factory.client_no_context_takeover,
            server_max_window_bits=factory.server_max_window_bits,
            client_max_window_bits=factory.client_max_window_bits,
            **{_SETTINGS[name]: value for name, value in settings.items()},
        )
    except (TypeError, ValueError):
        return None


def check_compression(compression: str | None) -> None:
    """Check the argument of this name.

    Args:
        compression: ``"deflate"``, or None.

    Raises:
        ValueError: if it is anything else.
    """
    if compression not in ("deflate", None):
        raise ValueError(f"unsupported compression: {compression}")
