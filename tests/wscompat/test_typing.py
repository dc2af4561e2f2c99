"""The types stand for what websockets' types of the same names stand for."""

import websockets.typing

from wscompat import typing


def test_same_as_the_model() -> None:
    for name in ("Data", "LoggerLike", "StatusLike"):
        assert getattr(typing, name) == getattr(websockets.typing, name)
    for name in ("Origin", "Subprotocol"):
        assert getattr(typing, name)("x") == "x"
