"""The exceptions: one class for each close code, and what they carry."""

import copy
import pickle

import pytest

from wsframe import FrameError, InternalError, InvalidDataError, ProtocolError, TooBigError
from wsframe.exceptions import make_error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1002, ProtocolError),
        (1007, InvalidDataError),
        (1009, TooBigError),
        (1011, InternalError),
    ],
)
def test_class_follows_close_code(code: int, kind: type[FrameError]) -> None:
    error = make_error("what is wrong", code, "NAME", 7)
    assert type(error) is kind
    assert (error.close_code, error.name, error.offset) == (code, "NAME", 7)
    assert str(error) == "what is wrong (at byte 7 of the stream)"


def test_without_a_stream_there_is_no_offset() -> None:
    error = make_error("what is wrong", 1002, "NAME")
    assert error.offset is None
    assert str(error) == "what is wrong"


def test_it_survives_pickling() -> None:
    error = make_error("what is wrong", 1009, "NAME", 3)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is TooBigError
        assert (str(other), other.name, other.offset) == (str(error), "NAME", 3)
