"""Peers that each have one fault, to see that the conversation notices it.

They run on `picows`, so that they are there even if nothing under test works. Each has an echo
server or a client that is right but for one thing.
"""

import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from typing import Any

import picows

from tests.interop.core_api import ClientListener, EchoListener, make_peer_with
from tests.interop.endpoints import Client, Close, Peer

_OTHER = Close(4999, "something else")


class _WrongByte(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        payload = bytearray(frame.get_payload_as_bytes())
        if frame.msg_type == self.kinds.BINARY and len(payload) == 65536:
            payload[40000] ^= 1
        transport.send(frame.msg_type, payload, fin=frame.fin)


class _TooShort(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        payload = frame.get_payload_as_bytes()
        if frame.msg_type == self.kinds.BINARY:
            payload = payload[:65535]
        transport.send(frame.msg_type, payload, fin=frame.fin)


class _WrongKind(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        empty = frame.msg_type == self.kinds.TEXT and not frame.payload_size and frame.fin
        kind = self.kinds.BINARY if empty else frame.msg_type
        transport.send(kind, frame.get_payload_as_bytes(), fin=frame.fin)


class _Twice(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        super().echo(transport, frame)
        if frame.payload_size == 125:
            super().echo(transport, frame)


class _Silent(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        if frame.payload_size != 126:
            super().echo(transport, frame)


class _Forgetful(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        if frame.payload_size != 201:
            super().echo(transport, frame)


class _RestLost(EchoListener):
    """Takes the first fragment of a message for the whole."""

    def echo(self, transport: Any, frame: Any) -> None:
        if frame.msg_type != self.kinds.CONTINUATION:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


class _WrongPong(EchoListener):
    """Needs a server that leaves the answer of a ping to its listener."""

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type == self.kinds.PING:
            transport.send_pong(frame.get_payload_as_bytes()[:100])
        else:
            super().on_ws_frame(transport, frame)


class _WrongInBurst(EchoListener):
    def echo(self, transport: Any, frame: Any) -> None:
        payload = frame.get_payload_as_bytes()
        if payload.startswith((7).to_bytes(8, "big")):
            payload = payload[::-1]
        transport.send(frame.msg_type, payload, fin=frame.fin)


class _WrongCloseAnswer(EchoListener):
    def answer_close(self, transport: Any, close: Close) -> None:
        super().answer_close(transport, Close(close.code, _OTHER.reason))


class _Vanishing(EchoListener):
    """Leaves without answering a close."""

    def answer_close(self, transport: Any, close: Close) -> None:
        transport.disconnect()


class _WrongClientAnswer(ClientListener):
    def answer_close(self, transport: Any, close: Close) -> None:
        super().answer_close(transport, Close(_OTHER.code, close.reason))


class _Crashing(EchoListener):
    """Only for a server in a process of its own."""

    def echo(self, transport: Any, frame: Any) -> None:
        os._exit(3)


@contextlib.asynccontextmanager
async def _connect_a_liar(
    url: str, *, tls: ssl.SSLContext | None, proxy: str | None
) -> AsyncIterator[Client]:
    """Connect with a client that sends another close than it is told to, and does not admit it."""
    async with WRONG_BYTE.connect(url, tls=tls, proxy=proxy) as client:
        honest_close = client.close

        async def close(close: Close) -> Close:
            await honest_close(_OTHER)
            return close

        client.close = close  # type: ignore[method-assign]
        yield client


WRONG_BYTE = make_peer_with("wrong byte", picows, echo=_WrongByte)
TOO_SHORT = make_peer_with("too short", picows, echo=_TooShort)
WRONG_KIND = make_peer_with("wrong kind", picows, echo=_WrongKind)
TWICE = make_peer_with("twice", picows, echo=_Twice)
SILENT = make_peer_with("silent", picows, echo=_Silent)
FORGETFUL = make_peer_with("forgetful", picows, echo=_Forgetful)
REST_LOST = make_peer_with("rest lost", picows, echo=_RestLost)
WRONG_PONG = make_peer_with("wrong pong", picows, echo=_WrongPong, enable_auto_pong=False)
WRONG_IN_BURST = make_peer_with("wrong in burst", picows, echo=_WrongInBurst)
WRONG_CLOSE_ANSWER = make_peer_with("wrong close answer", picows, echo=_WrongCloseAnswer)
VANISHING = make_peer_with("vanishing", picows, echo=_Vanishing)
CRASHING = make_peer_with("crashing", picows, echo=_Crashing)
WRONG_CLIENT_ANSWER = make_peer_with("wrong client answer", picows, client=_WrongClientAnswer)
WRONG_CLIENT_CLOSE = Peer("wrong client close", _connect_a_liar, WRONG_BYTE.serve)
