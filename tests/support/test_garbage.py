"""The look for cycles sees them, and nothing else."""

import gc

import pytest

from tests.support.garbage import no_cycles_of


class Node:
    def __init__(self) -> None:
        self.other = self


def test_sees_a_cycle() -> None:
    with pytest.raises(AssertionError, match="Node"), no_cycles_of("tests"):
        Node()
    assert gc.isenabled()
    assert not gc.garbage


def test_does_not_see_what_is_free_or_still_there() -> None:
    kept = Node()
    with no_cycles_of("tests"):
        kept.other = Node()
        kept.other.other = kept


def test_does_not_see_what_is_of_others() -> None:
    with no_cycles_of("wscore"):
        Node()
