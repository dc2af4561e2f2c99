"""Resolve a host to socket addresses, in the order in which they should be tried.

A literal address must never be passed to a resolver or a thread: that would be slow, and a
resolver may return a different address.
"""

import asyncio
import itertools
import socket
from collections.abc import Sequence
from typing import Any

from .target import Target

__all__ = ["Address", "most_reachable", "resolve", "take_turns"]

# Family, type, protocol, canonical name, socket address, as returned by getaddrinfo().
Address = tuple[int, int, int, str, Any]


async def resolve(target: Target, family: int = socket.AF_UNSPEC) -> list[Address]:
    """Return the target's stream addresses, alternating IPv6 and IPv4 (RFC 8305, section 4).

    The resolver's first choice stays first.

    Args:
        target: name or address, and port.
        family: `socket.AF_INET` or `socket.AF_INET6` for only those.

    Raises:
        OSError: the name does not resolve (`socket.gaierror`).
    """
    if target.ip_version is not None:
        return list(
            socket.getaddrinfo(
                target.host,
                target.port,
                family=family,
                type=socket.SOCK_STREAM,
                flags=socket.AI_NUMERICHOST,
            )
        )
    found = await asyncio.get_running_loop().getaddrinfo(
        target.host, target.port, family=family, type=socket.SOCK_STREAM
    )
    return take_turns(found)


def take_turns(addresses: Sequence[Address]) -> list[Address]:
    """Interleave the families, keeping the resolver's order within each.

    Duplicates are removed: some resolvers return an address twice, for instance for two lines of
    a hosts file.
    """
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for turn in rounds for address in turn if address is not None]


def most_reachable(addresses: Sequence[Address]) -> Address:
    """Return the address to send to a proxy, which gets only one and cannot try others.

    It is the first IPv4 address, if there is one: not every proxy can reach IPv6 addresses.
    """
    return min(addresses, key=lambda address: address[0] != socket.AF_INET)
