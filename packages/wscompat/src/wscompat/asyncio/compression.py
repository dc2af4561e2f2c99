"""What ``compression=`` of `connect` and `serve` means to wscore."""

from __future__ import annotations

import wscore

__all__ = ["client_deflate", "server_deflate"]


def client_deflate(compression: str | None) -> wscore.WSDeflate | None:
    """What a client offers.

    Args:
        compression: ``"deflate"``, or None for no compression.

    Raises:
        ValueError: if it is anything else.
    """
    _check(compression)
    return wscore.WSDeflate() if compression else None


def server_deflate(compression: str | None) -> wscore.WSDeflate | None:
    """What a server accepts: small windows, which save memory on both sides.

    Args:
        compression: as for `client_deflate`.

    Raises:
        ValueError: as for `client_deflate`.
    """
    _check(compression)
    if compression is None:
        return None
    return wscore.WSDeflate(server_max_window_bits=12, client_max_window_bits=12)


def _check(compression: str | None) -> None:
    if compression not in ("deflate", None):
        raise ValueError(f"unsupported compression: {compression}")
