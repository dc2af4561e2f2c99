"""The address a tunnel leads to, in the form that protocols and resolvers accept.

Anything that could break out of a protocol's message (spaces, line ends, a host that is too long)
must be refused here, before a proxy is contacted.
"""

import ipaddress
import re
from dataclasses import dataclass

__all__ = ["Target", "parse_target"]

# What a host name may consist of. Underscores occur in real names; the rest is RFC 1123.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a tunnel leads.

    Attributes:
        host: ASCII name (internationalised names are encoded) or IP address without brackets.
        port: TCP port.
        ip_version: 4 or 6 if the host is an address, None if it is a name.
    """

    host: str
    port: int
    ip_version: int | None

    @property
    def authority(self) -> str:
        """The target as HTTP writes it: `host:port`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if self.ip_version == 6 else self.host
        return f"{host}:{self.port}"


def parse_target(host: str, port: int) -> Target:
    """Check a host and a port and bring them into the form protocols accept.

    Args:
        host: name or address; an IPv6 address with or without brackets.
        port: 1 to 65535.

    Raises:
        ValueError: it is no host name, no address, or no port.
    """
    if not 1 <= port <= 65535:
        raise ValueError(f"port {port} is not in the range 1 to 65535")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        pass
    else:
        return Target(bare, port, address.version)
    name = host
    if not host.isascii():
        try:
            name = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"{host!r} is not a host name") from error
    if not _NAME.fullmatch(name):
        raise ValueError(f"{host!r} is not a host name")
    return Target(name, port, None)
