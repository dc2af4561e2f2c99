"""The arguments ``compression`` and ``extensions`` of `connect` and `serve`, for wscore.

Where compression is the only extension, and its parameters are known to wscore, wscore does
it. Everything else is left to the factories of the extensions. What wscompat adds to websockets is
that ``compression=`` also takes a `wscore.WSDeflate`, which names the engine and its level.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import wscore

from ..extensions.base import ClientExtensionFactory, ServerExtensionFactory
from ..extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
    enable_client_permessage_deflate,
    enable_server_permessage_deflate,
)

__all__ = [
    "Compression",
    "as_core",
    "client_extensions",
    "client_factories",
    "server_extensions",
    "server_factories",
]

Compression = str | wscore.WSDeflate | None
"""The types of ``compression=``."""

_SETTINGS = {"level": "level", "memLevel": "memory_level"}
_ZLIB_MEMORY_LEVEL = 8  # zlib's default


class ClientFactory(ClientPerMessageDeflateFactory):
    """The factory that stands for a `wscore.WSDeflate` in a client.

    Args:
        core: how to compress.
    """

    def __init__(self, core: wscore.WSDeflate) -> None:
        super().__init__(
            core.server_no_context_takeover,
            core.client_no_context_takeover,
            core.server_max_window_bits,
            core.client_max_window_bits,
        )
        self.core = core


class ServerFactory(ServerPerMessageDeflateFactory):
    """The same in a server.

    Args:
        core: how to compress.
    """

    def __init__(self, core: wscore.WSDeflate) -> None:
        client_bits = core.client_max_window_bits
        super().__init__(
            core.server_no_context_takeover,
            core.client_no_context_takeover,
            core.server_max_window_bits,
            None if client_bits is True else client_bits,
        )
        self.core = core


def client_factories(
    compression: Compression, extensions: Sequence[ClientExtensionFactory] | None
) -> Sequence[ClientExtensionFactory] | None:
    """Return the factories of a client's extensions, with compression if it is asked for.

    Args:
        compression: ``"deflate"``, a `wscore.WSDeflate`, or None for no compression other than that
            of `extensions`.
        extensions: factories, or None.

    Raises:
        ValueError: if the compression is another one, or a `wscore.WSDeflate` comes with
            extensions, which need compression in Python.
    """
    if _is_core(compression, extensions):
        return [ClientFactory(compression)]
    return extensions if compression is None else enable_client_permessage_deflate(extensions)


def server_factories(
    compression: Compression, extensions: Sequence[ServerExtensionFactory] | None
) -> Sequence[ServerExtensionFactory] | None:
    """Return the same for a server; by default with small windows, which save memory on both sides.

    Args:
        compression: as for `client_factories`.
        extensions: as for `client_factories`.

    Raises:
        ValueError: as for `client_factories`.
    """
    if _is_core(compression, extensions):
        return [ServerFactory(compression)]
    return extensions if compression is None else enable_server_permessage_deflate(extensions)


def _is_core(
    compression: Compression, extensions: Sequence[Any] | None
) -> TypeGuard[wscore.WSDeflate]:
    """Return whether ``compression=`` is a `wscore.WSDeflate`; else it is ``"deflate"`` or None."""
    if isinstance(compression, wscore.WSDeflate):
        if extensions:
            raise ValueError("a WSDeflate as compression cannot be combined with extensions")
        return True
    if compression not in ("deflate", None):
        raise ValueError(f"unsupported compression: {compression}")
    return False


def client_extensions(
    compression: Compression,
    extensions: Sequence[ClientExtensionFactory] | None,
    in_python: bool = False,
) -> tuple[wscore.WSDeflate | None, Sequence[ClientExtensionFactory] | None]:
    """Return the extensions that a client offers.

    Args:
        compression: as for `client_factories`.
        extensions: as for `client_factories`.
        in_python: whether nothing is left to wscore.

    Returns:
        What wscore offers, and the factories that it knows nothing of; one of them is None.

    Raises:
        ValueError: as for `client_factories`.
    """
    if compression == "deflate" and extensions is None and not in_python:
        return _default_offer()
    extensions = client_factories(compression, extensions)
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
    if isinstance(first, ClientFactory):
        return first.core, None
    if others or type(first) is not ClientPerMessageDeflateFactory:
        return None, extensions
    deflate = as_core(first)
    return (None, extensions) if deflate is None else (deflate, None)


def server_extensions(
    compression: Compression,
    extensions: Sequence[ServerExtensionFactory] | None,
) -> tuple[wscore.WSDeflate | None, Sequence[ServerExtensionFactory] | None]:
    """Return the extensions that a server accepts.

    Args:
        compression: as for `client_factories`.
        extensions: as for `client_factories`.

    Returns:
        As for `client_extensions`.

    Raises:
        ValueError: as for `client_factories`.
    """
    extensions = server_factories(compression, extensions)
    if not extensions:
        return None, None
    (first, *others) = extensions
    if isinstance(first, ServerFactory):
        return first.core, None
    if others or type(first) is not ServerPerMessageDeflateFactory:
        return None, extensions
    if first.require_client_max_window_bits:
        return None, extensions
    deflate = as_core(first)
    return (None, extensions) if deflate is None else (deflate, None)


def as_core(
    factory: ClientPerMessageDeflateFactory | ServerPerMessageDeflateFactory,
) -> wscore.WSDeflate | None:
    """Convert the parameters of a factory to those of wscore.

    Args:
        factory: has the parameters.

    Returns:
        It, or None if wscore has nothing that is the same.
    """
    if isinstance(factory, ClientFactory | ServerFactory):
        return factory.core
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
