"""The enumerations: names as in picows, values as in RFC 6455."""

import picows
import pytest

from wscore import WSCloseCode, WSMsgType


def test_types_of_frames() -> None:
    """RFC 6455, 11.8."""
    assert {member.name: int(member) for member in WSMsgType} == {
        "CONTINUATION": 0x0,
        "TEXT": 0x1,
        "BINARY": 0x2,
        "CLOSE": 0x8,
        "PING": 0x9,
        "PONG": 0xA,
    }


def test_close_codes() -> None:
    """RFC 6455, 7.4.1, and the registry it set up; 0 stands for a CLOSE without a code."""
    assert {member.name: int(member) for member in WSCloseCode} == {
        "NO_INFO": 0,
        "OK": 1000,
        "GOING_AWAY": 1001,
        "PROTOCOL_ERROR": 1002,
        "UNSUPPORTED_DATA": 1003,
        "ABNORMAL_CLOSURE": 1006,
        "INVALID_TEXT": 1007,
        "POLICY_VIOLATION": 1008,
        "MESSAGE_TOO_BIG": 1009,
        "MANDATORY_EXTENSION": 1010,
        "INTERNAL_ERROR": 1011,
        "SERVICE_RESTART": 1012,
        "TRY_AGAIN_LATER": 1013,
        "BAD_GATEWAY": 1014,
    }


@pytest.mark.parametrize("name", ["WSMsgType", "WSCloseCode"])
def test_same_as_picows(name: str) -> None:
    theirs = getattr(picows, name)
    ours = {"WSMsgType": WSMsgType, "WSCloseCode": WSCloseCode}[name]
    assert {m.name: int(m) for m in ours} == {m.name: int(m) for m in theirs}


def test_are_integers() -> None:
    assert WSMsgType.PING == 9
    assert WSMsgType(9) is WSMsgType.PING
    assert WSCloseCode(1000) is WSCloseCode.OK
    assert repr(WSMsgType.TEXT) == "<WSMsgType.TEXT: 1>"
    assert repr(WSCloseCode.GOING_AWAY) == "<WSCloseCode.GOING_AWAY: 1001>"
