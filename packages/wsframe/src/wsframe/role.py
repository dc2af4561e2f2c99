"""The two sides of a connection, as an enumeration. What follows from it is decided elsewhere."""

from enum import IntEnum

__all__ = ["Role"]


class Role(IntEnum):
    """Which side of the connection we are (RFC 6455, section 5.1).

    A client masks what it sends and receives unmasked frames; a server the other way round.
    """

    CLIENT = 0
    SERVER = 1
