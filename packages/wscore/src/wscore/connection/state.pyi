"""The table of a connection's life, and the record of its closing handshake."""

from enum import IntEnum
from typing import Final

from typing_extensions import disjoint_base

from ..enums import WSCloseCode

__all__ = ["TRANSITIONS", "Event", "State", "WSCloseHandshake", "WSCloseInfo"]

class State(IntEnum):
    HANDSHAKING = 0
    OPEN = 1
    CLOSE_SENT = 2
    CLOSE_RECEIVED = 3
    CLOSED = 4
    AWAITING_CLOSE = 5
    DISCONNECTING = 6
    LOST = 7

class Event(IntEnum):
    UPGRADE = 0
    SEND_CLOSE = 1
    RECEIVE_CLOSE = 2
    FAIL = 3
    DISCONNECT = 4
    LOSE = 5

TRANSITIONS: Final[dict[State, dict[Event, State]]]

@disjoint_base
class WSCloseInfo:
    def __new__(cls, code: WSCloseCode | int, reason: str | None) -> WSCloseInfo: ...
    @property
    def code(self) -> WSCloseCode: ...
    @property
    def reason(self) -> str | None: ...

@disjoint_base
class WSCloseHandshake:
    @property
    def recv(self) -> WSCloseInfo | None: ...
    @property
    def sent(self) -> WSCloseInfo | None: ...
    @property
    def recv_then_sent(self) -> bool: ...
