"""The target address of a tunnel, in the form that protocols and resolvers accept.

Anything that could break out of a protocol's message (spaces, line ends, a host that is too long)
must be rejected here, before a proxy is contacted.
"""

import ipaddress
import re
from dataclasses import dataclass

__all__ = ["Target", "parse_target"]

# Valid host names. Underscores occur in real names; the rest follows RFC 1123.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a tunnel.

    Attributes:
        host: ASCII name (internationalized names are encoded) or IP address without brackets.
        port: TCP port.
        ip_version: 4 or 6 if the host is an address, None if it is a name.
    """

    host: str
    port: int
    ip_version: int | None

    @property
    def authority(self) -> str:
        """The target in HTTP's form: `host:port`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if self.ip_version == 6 else self.host
        return f"{host}:{self.port}"


def parse_target(host: str, port: int) -> Target:
    """Validate a host and a port and convert them to the form that protocols accept.

    Args:
        host: name or address; an IPv6 address with or without brackets.
        port: 1 to 65535.

    Raises:
        ValueError: the host is neither a host name nor an address, or the port is invalid.
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
        except UnicodeError as exc:
            raise ValueError(f"invalid host name: {host!r}") from exc
    if not _NAME.fullmatch(name):
        raise ValueError(f"invalid host name: {host!r}")
    return Target(name, port, None)
