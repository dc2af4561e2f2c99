"""That inputs can be made again, and that each mutation is used."""

import pytest

from tests.fuzz_live.inputs import ACCEPT, client_input, draw_accept, server_input


@pytest.mark.parametrize("make", [server_input, client_input])
def test_an_input_depends_on_its_seed_and_number(make) -> None:
    assert make(1, 2) == make(1, 2)
    assert make(1, 2) != make(1, 3)
    assert make(1, 2) != make(2, 2)


@pytest.mark.parametrize("make", [server_input, client_input])
def test_pieces_are_the_whole(make) -> None:
    for number in range(300):
        fuzzed = make(1, number)
        head, frames = fuzzed.pieces(b"yes")
        assert b"".join(head) == fuzzed.head.replace(ACCEPT, b"yes")
        assert b"".join(frames) == fuzzed.frames


def test_the_answer_to_a_key_is_that_of_the_rfc() -> None:
    assert draw_accept(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("make", [server_input, client_input])
def test_there_are_inputs_of_every_kind(make) -> None:
    inputs = [make(1, number) for number in range(2000)]
    changes = " ".join(change for fuzzed in inputs for change in fuzzed.changes)
    for each in ("without ", " twice", "further ", "line ", "name ", "bytes of", "end early"):
        assert each in changes
    for each in ("long length", "bad text", "final block", "bomb", "bad close", "other masking"):
        assert each in changes
    assert any(not fuzzed.changes for fuzzed in inputs)
    assert any(fuzzed.cuts for fuzzed in inputs)
