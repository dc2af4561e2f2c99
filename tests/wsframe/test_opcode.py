"""The enumeration of opcodes."""

import pytest

from wsframe import Opcode


def test_numbers_are_those_of_the_rfc() -> None:
    assert {o.name: o.value for o in Opcode} == {
        "CONTINUATION": 0,
        "TEXT": 1,
        "BINARY": 2,
        "CLOSE": 8,
        "PING": 9,
        "PONG": 10,
    }


@pytest.mark.parametrize("opcode", Opcode)
def test_control_frames_have_the_fourth_bit(opcode: Opcode) -> None:
    assert opcode.is_control == bool(opcode & 8)
