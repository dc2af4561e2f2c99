"""Whole messages to a callback, and the effects of its exceptions."""

import asyncio

import pytest

from tests.wscore.message_recorder import MessageRecorder, messages_to
from tests.wscore.pairs import Setting, Way
from tests.wscore.raw_peer import BOUND
from tests.wscore.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, F, close
from wscore import WSMessageListener, WSMsgType, WSProtocolError, WSTransport

SMILE = "😀".encode()


async def test_messages(way: Way) -> None:
    listener = MessageRecorder()
    async with messages_to(way.setting, listener) as (_, peer):
        await peer.send(
            F(TEXT, "ä€".encode()),
            F(BINARY, b"\xff\x00"),
            F(TEXT, b""),
            F(TEXT, SMILE[:2], fin=False),
            F(PING, b"between"),
            F(CONTINUATION, b"", fin=False),
            F(CONTINUATION, SMILE[2:]),
            F(BINARY, b"a", fin=False),
            F(CONTINUATION, b"b"),
            each_byte=way.each_byte,
        )
        await listener.until(5)
        assert listener.messages == [
            (WSMsgType.TEXT, "ä€"),
            (WSMsgType.BINARY, b"\xff\x00"),
            (WSMsgType.TEXT, ""),
            (WSMsgType.TEXT, "😀"),
            (WSMsgType.BINARY, b"ab"),
        ]
        assert (await peer.read_frame()).opcode == PONG


async def test_answers_leave_together(plain: Setting) -> None:
    def echo(transport: WSTransport, msg_type: WSMsgType, message: str | bytes) -> None:
        transport.send_message(msg_type, message)

    async with messages_to(plain, MessageRecorder(echo)) as (_, peer):
        await peer.send(*(F(TEXT, b"%d" % i) for i in range(100)))
        for i in range(100):
            frame = await peer.read_frame()
            assert (frame.opcode, frame.payload, frame.rsv) == (TEXT, b"%d" % i, 0)


async def test_close_is_answered(both: Setting) -> None:
    for side in ("client", "server"):
        listener = MessageRecorder()
        async with messages_to(Setting(side, both.tls), listener) as (transport, peer):
            await peer.send(F(TEXT, b"x"), close(3333, "bye"))
            answer = await peer.read_frame()
            assert (answer.opcode, answer.close_code) == (CLOSE, 3333)
            await peer.close()
            async with asyncio.timeout(BOUND):
                await transport.wait_disconnected()
            assert listener.seen == ["x"]


@pytest.mark.parametrize("fragmented", [False, True])
async def test_an_exception_closes_the_connection(plain: Setting, fragmented: bool) -> None:
    def fail(transport: WSTransport, msg_type: WSMsgType, message: str | bytes) -> None:
        raise WSProtocolError(4321, "no") if message == "no" else RuntimeError("on purpose")

    message = [F(TEXT, b"n", fin=False), F(CONTINUATION, b"o")] if fragmented else [F(TEXT, b"no")]
    async with messages_to(plain, MessageRecorder(fail)) as (_, peer):
        await peer.send(*message)
        assert (await peer.read_frame()).close_code == 4321
    async with messages_to(plain, MessageRecorder(fail)) as (_, peer):
        await peer.send(F(TEXT, b"other"))
        assert (await peer.read_frame()).close_code == 1011


async def test_an_exception_may_leave_the_connection(plain: Setting) -> None:
    def fail(transport: WSTransport, msg_type: WSMsgType, message: str | bytes) -> None:
        if message == "ab":
            raise RuntimeError("on purpose")
        transport.send_message(msg_type, message)

    listener = MessageRecorder(fail)
    async with messages_to(plain, listener, disconnect_on_exception=False) as (_, peer):
        await peer.send(F(TEXT, b"a", fin=False), F(CONTINUATION, b"b"), F(TEXT, b"c"))
        await peer.send(F(TEXT, b"d", fin=False), F(CONTINUATION, b"e"))
        assert (await peer.read_frame()).payload == b"c"
        assert (await peer.read_frame()).payload == b"de"


async def test_messages_are_limited(plain: Setting) -> None:
    for limits in ({"max_frame_size": 100}, {"max_message_size": 100}):
        async with messages_to(plain, MessageRecorder(), **limits) as (_, peer):
            await peer.send(F(BINARY, b"a" * 60, fin=False), F(CONTINUATION, b"a" * 41))
            assert (await peer.read_frame()).close_code == 1009
        listener = MessageRecorder()
        async with messages_to(plain, listener, **limits) as (_, peer):
            await peer.send(F(BINARY, b"a" * 60, fin=False), F(CONTINUATION, b"a" * 40))
            await listener.until(1)


async def test_without_overriding_anything(plain: Setting) -> None:
    async with messages_to(plain, WSMessageListener()) as (_, peer):
        await peer.send(F(TEXT, b"x"), F(PONG), close(1000))
        assert (await peer.read_frame()).close_code == 1000
