"""That a message comes out as it went in, and that every change of it is noticed."""

import random

import pytest

from tests.campaign.message import ChangedError, Message, build, parse

MESSAGE = Message("1.2.3/server", 17, 4)


@pytest.mark.parametrize("is_text", [False, True])
@pytest.mark.parametrize("size", [0, 1, 125, 70_000])
def test_round_trip(size: int, is_text: bool) -> None:
    assert parse(build(MESSAGE, size, is_text, random.Random(1))) == MESSAGE


def test_each_changed_byte_is_noticed() -> None:
    whole = build(MESSAGE, 40, False, random.Random(1))
    assert isinstance(whole, bytes)
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            with pytest.raises(ChangedError):
                parse(bytes(changed))


@pytest.mark.parametrize("is_text", [False, True])
def test_a_part_and_a_mixture_are_noticed(is_text: bool) -> None:
    whole = build(MESSAGE, 40, is_text, random.Random(1))
    other = build(MESSAGE, 40, is_text, random.Random(2))
    for changed in (whole[:-1], whole[:5], whole + whole, whole[:60] + other[60:], whole[:0]):
        with pytest.raises(ChangedError):
            parse(changed)
