"""The two endpoints of a connection, as an enumeration without further logic."""

from enum import IntEnum

__all__ = ["Role"]


class Role(IntEnum):
    """Our endpoint of the connection (RFC 6455, section 5.1).

    A client sends masked frames and receives unmasked ones; for a server it is the reverse.
    """

    CLIENT = 0
    SERVER = 1
