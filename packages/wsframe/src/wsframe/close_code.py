"""The registered close codes, as an enumeration. libwsframe checks which may be sent."""

from enum import IntEnum

__all__ = ["CloseCode"]


class CloseCode(IntEnum):
    """The reason why a connection ends (RFC 6455, section 7.4.1, and IANA's registry).

    `NO_STATUS`, `ABNORMAL` and `TLS_HANDSHAKE` are never sent: they only report to an application
    that a CLOSE frame had no code, that there was no CLOSE frame, or that TLS failed.
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015
