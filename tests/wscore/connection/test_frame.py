"""The frame that a listener is shown: what it tells, and what it still tells when it is over."""

import array
import gc
import sys
import weakref

import pytest

from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.raw_peer import RawPeer
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, CLOSE, CONTINUATION, PONG, TEXT, F, close
from wscore import WSCloseCode, WSFrame, WSMsgType

METHODS = (
    "get_payload_as_bytes",
    "get_payload_as_utf8_text",
    "get_payload_as_utf8",
    "get_payload_as_ascii_text",
    "get_payload_as_memoryview",
    "get_close_code",
    "get_close_message",
    "get_close_reason",
)


class Asked(Recorder):
    """Asks each frame the same questions, and keeps the answers or the exceptions."""

    def __init__(self, *questions: str) -> None:
        super().__init__(lambda _, frame: self.ask(frame))
        self.questions = questions
        self.answers: list[object] = []
        self.kept: list[WSFrame] = []

    def ask(self, frame: WSFrame) -> None:
        self.kept.append(frame)
        for question in self.questions:
            try:
                answer = getattr(frame, question)
                self.answers.append(answer() if callable(answer) else answer)
            except Exception as exc:
                self.answers.append(type(exc))


async def answers(plain: Setting, frame: F, *questions: str) -> list[object]:
    """Return what a received frame answers."""
    listener = Asked(*questions)
    async with against_raw_peer(plain, listener, enable_auto_pong=False) as (_, peer):
        await peer.send(frame)
        await listener.until("frame")
    return listener.answers


# Attributes and methods


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (F(TEXT, b"abc"), ["abc", "abc", "abc", b"abc"]),
        (F(TEXT, b""), ["", "", "", b""]),
        (F(TEXT, "ä€".encode()), ["ä€", "ä€", UnicodeDecodeError, "ä€".encode()]),
        (F(BINARY, b"\x00\x7f"), ["\x00\x7f", "\x00\x7f", "\x00\x7f", b"\x00\x7f"]),
        (F(BINARY, b"\xff"), [UnicodeDecodeError] * 3 + [b"\xff"]),
        (F(TEXT, "€".encode()[:2], fin=False), [UnicodeDecodeError] * 3 + [b"\xe2\x82"]),
        (F(PONG, b"abc"), ["abc", "abc", "abc", b"abc"]),
    ],
)
async def test_payload(frame: F, expected: list[object], plain: Setting) -> None:
    questions = METHODS[1:4] + METHODS[:1]
    assert await answers(plain, frame, *questions) == expected


async def test_attributes(plain: Setting) -> None:
    questions = ("msg_type", "fin", "rsv1", "rsv2", "rsv3", "payload_size", "__repr__")
    told = await answers(plain, F(BINARY, bytes(300), fin=False), *questions)
    assert told[:-1] == [WSMsgType.BINARY, False, False, False, False, 300]
    assert isinstance(told[0], WSMsgType)
    assert told[-1] == "WSFrame(msg_type=<WSMsgType.BINARY: 2>, fin=False, payload_size=300)"


async def test_the_type_is_a_member(plain: Setting) -> None:
    """Not an equal integer; that it is one and the same is what makes `is` work."""
    sent = (WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.BINARY, WSMsgType.CLOSE)
    listener = Asked()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(*(F(kind, b"", fin=kind != WSMsgType.TEXT) for kind in sent))
        await listener.until("frame", len(sent))
    for frame, kind in zip(listener.kept, sent, strict=True):
        assert frame.msg_type is kind


async def test_attributes_cannot_be_set(plain: Setting) -> None:
    listener = Asked()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"x"))
        await listener.until("frame")
    for name in ("msg_type", "fin", "payload_size", "tail_size", "anything"):
        with pytest.raises(AttributeError):
            setattr(listener.kept[0], name, 1)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (F(CLOSE), [WSCloseCode.NO_INFO, None, None]),
        (close(1000), [WSCloseCode.OK, None, None]),
        (close(1001, "bye"), [WSCloseCode.GOING_AWAY, b"bye", "bye"]),
        (close(4000, "€"), [4000, "€".encode(), "€"]),
        (F(BINARY, b"\x03\xe8"), [TypeError, TypeError, TypeError]),
        (F(PONG, b""), [TypeError, TypeError, TypeError]),
    ],
)
async def test_close(frame: F, expected: list[object], plain: Setting) -> None:
    told = await answers(plain, frame, "get_close_code", "get_close_message", "get_close_reason")
    assert told == expected


async def test_close_codes_are_members(plain: Setting) -> None:
    (code,) = await answers(plain, close(1001), "get_close_code")
    assert code is WSCloseCode.GOING_AWAY
    (code,) = await answers(plain, close(4000), "get_close_code")
    assert type(code) is WSCloseCode
    assert (code.value, code.name) == (4000, None)


async def test_payload_includes_the_close_code(plain: Setting) -> None:
    assert await answers(plain, close(1000, "x"), "get_payload_as_bytes") == [b"\x03\xe8x"]


async def test_memoryview(plain: Setting) -> None:
    views: list[memoryview] = []
    listener = Recorder(lambda _, frame: views.append(frame.get_payload_as_memoryview()))
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(BINARY, b"abcdef"), F(BINARY, b""))
        await listener.until("frame", 2)
    view = views[0]
    assert view.readonly
    assert (view.format, view.itemsize, view.ndim, view.shape) == ("B", 1, 1, (6,))
    assert view.contiguous
    assert bytes(view[2:4]) == b"cd"
    assert views[1].nbytes == 0
    with pytest.raises(TypeError):
        view[0] = 1


async def test_frame_is_a_buffer(plain: Setting) -> None:
    """Whatever takes a buffer takes a frame: it is copied from where it was received."""
    copies: list[object] = []

    def copy(_: object, frame: WSFrame) -> None:
        buffer = memoryview(frame)  # type: ignore[arg-type]
        copies.extend((bytes(buffer), bytearray(buffer), array.array("B", buffer).tobytes()))

    listener = Recorder(copy)
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(BINARY, b"abc"))
        await listener.until("frame")
    assert copies == [b"abc", bytearray(b"abc"), b"abc"]


def test_frames_are_made_by_connections_only() -> None:
    with pytest.raises(TypeError):
        WSFrame()


# After the callback


async def test_kept_frame_raises(setting: Setting) -> None:
    listener = Asked()
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"first"), close(1000))
        await listener.until("frame", 2)
        for frame in listener.kept:
            check_over(frame)
    for frame in listener.kept:
        check_over(frame)
    assert listener.kept[0] is not listener.kept[1]


def check_over(frame: WSFrame) -> None:
    """Check that it raises, and says why; but can still be looked at, as in a debugger."""
    for method in METHODS:
        with pytest.raises(RuntimeError, match="only during the callback"):
            getattr(frame, method)()
    with pytest.raises((RuntimeError, BufferError)):
        memoryview(frame)  # type: ignore[arg-type]
    assert "WSFrame(" in repr(frame)


async def test_kept_frame_says_what_it_was(plain: Setting) -> None:
    """The next frame is another object if this one was kept."""
    listener = Asked()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"abc", fin=False), F(CONTINUATION, b"defgh"))
        await listener.until("frame", 2)
    first, second = listener.kept
    assert (first.msg_type, first.fin, first.payload_size) == (WSMsgType.TEXT, False, 3)
    assert (second.msg_type, second.fin, second.payload_size) == (WSMsgType.CONTINUATION, True, 5)


async def flood(peer: RawPeer, listener: Recorder, payload: bytes, times: int) -> None:
    """Much more traffic on the same connection."""
    count = listener.events.count("frame")
    for _ in range(times):
        await peer.send(F(BINARY, payload))
    await listener.until("frame", count + times)


async def test_kept_memoryviews_keep_their_bytes(setting: Setting) -> None:
    views: list[memoryview] = []

    def keep(_: object, frame: WSFrame) -> None:
        if frame.payload_size < 100:
            views.append(frame.get_payload_as_memoryview())

    listener = Recorder(keep)
    async with against_raw_peer(setting, listener) as (_, peer):
        expected = []
        for number in range(50):
            payload = b"view %d" % number
            expected.append(payload)
            await peer.send(F(BINARY, payload))
            await flood(peer, listener, b"\xee" * 20_000, 3)
        await flood(peer, listener, b"\xdd" * 1_000_000, 3)
        assert [bytes(view) for view in views] == expected
    assert [bytes(view) for view in views] == expected


async def test_slices_outlive_the_view_they_are_of(plain: Setting) -> None:
    """Releasing a memoryview leaves its slices alive."""
    slices: list[memoryview] = []

    def keep(_: object, frame: WSFrame) -> None:
        if frame.payload_size < 100:
            with frame.get_payload_as_memoryview() as view:
                slices.append(view[5:])

    listener = Recorder(keep)
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(BINARY, b"head tail"))
        await flood(peer, listener, b"\xee" * 100_000, 20)
        assert bytes(slices[0]) == b"tail"


async def test_view_kept_while_a_larger_message_arrives(setting: Setting) -> None:
    """The buffer grows for it, and moves; the view stays with the memory it shows."""
    views: list[memoryview] = []
    listener = Recorder(lambda _, frame: views.append(frame.get_payload_as_memoryview()))
    payload = bytes(range(256)) * 4000
    wire = F(BINARY, payload).wire(setting.side == "server")
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"small"), wire[:70_000])
        await listener.until("frame")
        assert bytes(views[0]) == b"small"
        await peer.send(wire[70_000:])
        await listener.until("frame", 2)
        await peer.send(F(BINARY, b"\xee" * 300_000))
        await listener.until("frame", 3)
        assert bytes(views[0]) == b"small"
        assert bytes(views[1]) == payload


async def test_released_views_leave_nothing(plain: Setting) -> None:
    """The memory of a view is given back with the view."""

    class Kept:
        def __init__(self, view: memoryview) -> None:
            self.view = view

    kept: list[Kept] = []
    listener = Recorder(lambda _, frame: kept.append(Kept(frame.get_payload_as_memoryview())))
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(BINARY, b"abc"))
        await listener.until("frame")
        alive = weakref.ref(kept[0])
        kept.clear()
        assert alive() is None
        await flood(peer, listener, b"x", 10)
        assert [bytes(item.view) for item in kept] == [b"x"] * 10


async def test_views_in_a_cycle(plain: Setting) -> None:
    """The garbage collector takes a cycle apart in any order: also a frame before its view."""
    views: list[memoryview] = []
    listener = Recorder(lambda _, frame: views.append(frame.get_payload_as_memoryview()))
    async with against_raw_peer(plain, listener) as (_, peer):
        gc.disable()
        try:
            await flood(peer, listener, b"abc", 20)
            cycle: list[object] = [*views]
            cycle.append(cycle)
            view = weakref.ref(views[0])
            views.clear()
            # What a frame that has lost its memory must not write to lies right behind None.
            before = sys.getrefcount(type(None))
            del cycle
            gc.collect()
            assert sys.getrefcount(type(None)) > before - 10
            assert view() is None
        finally:
            gc.enable()
