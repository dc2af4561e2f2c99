"""Utilities: keys, masking, and the formats of dates and addresses."""

from __future__ import annotations

import base64
import email.utils
import functools
import secrets
import socket
import time

import wsframe
from wscore.handshake.fields import accept_key

from .typing import BytesLike

__all__ = ["accept_key", "apply_mask", "get_socket_name"]


def generate_key() -> str:
    """Generate a random value for ``Sec-WebSocket-Key`` (RFC 6455, 4.1)."""
    return base64.b64encode(secrets.token_bytes(16)).decode("ascii")


def http_date() -> str:
    """Return the current time in the format of ``Date`` (RFC 9110, 5.6.7)."""
    return _http_date(int(time.time()))


@functools.lru_cache(maxsize=1)
def _http_date(seconds: int) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def apply_mask(data: BytesLike, mask: bytes | bytearray) -> bytes:
    """Mask, or unmask, a payload (RFC 6455, 5.3).

    Args:
        data: the payload.
        mask: the key, four bytes.

    Raises:
        ValueError: if the key has another size.
    """
    if len(mask) != 4:
        raise ValueError("mask must contain 4 bytes")
    return wsframe.apply_mask(data, mask)


def get_socket_name(sock: socket.socket) -> str:
    """Return the address that a socket is bound to, for logs and URIs.

    Args:
        sock: an IPv4, IPv6 or Unix socket.
    """
    name = sock.getsockname()
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
