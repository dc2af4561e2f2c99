"""Extensions that programs write, on the sans-I/O layer: both libraries use them in one way."""

from typing import Any

import pytest

from tests.wscompat.extensions.custom import padding, xor
from tests.wscompat.sansio import (
    SPLITS,
    WEBSOCKETS,
    WSCOMPAT,
    describe,
    frame,
    observe,
    pieces,
    replay,
    shake_hands,
    unmasked,
)


@pytest.mark.parametrize("name", ["Extension", "ClientExtensionFactory", "ServerExtensionFactory"])
def test_there_is_no_default(name: str) -> None:
    methods = {
        "Extension": [("decode", 1), ("encode", 1)],
        "ClientExtensionFactory": [("get_request_params", 0), ("process_response_params", 2)],
        "ServerExtensionFactory": [("process_request_params", 2)],
    }
    for library in (WSCOMPAT, WEBSOCKETS):
        base = getattr(library.extensions, name)
        for method, arguments in methods[name]:
            with pytest.raises(NotImplementedError):
                getattr(base(), method)(*[None] * arguments)


def opened(library: Any, side: str, stack: list[str], **options: Any) -> Any:
    """Return an open protocol that uses extensions."""
    protocol = library.protocol.Protocol(library.protocol.Side[side], **options)
    made = {
        "xor": lambda: xor(library).extension(),
        "xor everything": lambda: xor(library).extension(control_frames=True),
        "padding": lambda: padding(library).extension(),
        "deflate": lambda: library.deflate.PerMessageDeflate(False, False, 15, 15),
    }
    protocol.extensions = [made[name]() for name in stack]
    return protocol


STACKS = [
    *(["xor"], ["xor everything"], ["padding"], ["deflate"], ["deflate", "xor"]),
    *(["xor", "deflate"], ["padding", "deflate", "xor"]),
]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("side", ["SERVER", "CLIENT"])
@pytest.mark.parametrize("stack", STACKS, ids="+".join)
def test_conversation(stack: list[str], side: str, split: str) -> None:
    other = "CLIENT" if side == "SERVER" else "SERVER"
    sent = []
    for library in (WSCOMPAT, WEBSOCKETS):
        sender = opened(library, other, stack)
        for _ in range(2):
            sender.send_text(b"compressible, compressible, compressible")
            sender.send_binary(b"\0" * 10, fin=False)
            sender.send_ping(b"ping")
            sender.send_continuation(b"more", fin=False)
            sender.send_continuation(b"", fin=True)
        sender.send_close(1000, "bye")
        sent.append([unmasked(data) for data in sender.data_to_send()])
    assert sent[0] == sent[1]
    records = []
    for library in (WSCOMPAT, WEBSOCKETS):
        target = opened(library, side, stack)
        events, writes = [], []
        sender = opened(WSCOMPAT, other, stack)
        for data in sent[0]:
            wire = masked(data) if side == "SERVER" else data
            for piece in pieces(wire, split):
                target.receive_data(piece)
                events += target.events_received()
                writes += target.data_to_send()
        records.append(observe(target, events=events, writes=writes))
    assert records[0] == records[1]
    assert len(records[0]["events"]) == 11


def masked(data: bytes) -> bytes:
    """Return a frame with a mask of zeros."""
    start = 2 + {126: 2, 127: 8}.get(data[1], 0)
    return data[:1] + bytes([data[1] | 0x80]) + data[2:start] + bytes(4) + data[start:]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("side", ["SERVER", "CLIENT"])
@pytest.mark.parametrize(
    "bad_frames",
    [
        [frame("CLIENT", 1, b"x", rsv=4)],
        [frame("CLIENT", 9, b"x", rsv=1)],
        [frame("CLIENT", 0, b"x")],
        [frame("CLIENT", 1, b"x" * 101)],
        [frame("CLIENT", 1, b"x" * 99, fin=False), frame("CLIENT", 0, b"xx")],
        [b"\x83\0"],
        [frame("CLIENT", 8, b"\x03\xe8\xff")],
    ],
)
def test_faults(bad_frames: list[bytes], side: str, split: str) -> None:
    steps = [masked(data) if side == "SERVER" else data for data in bad_frames]
    ours, model = (
        replay(
            library,
            lambda library: opened(library, side, ["xor"], max_size=100),
            [*steps, None],
            split,
        )
        for library in (WSCOMPAT, WEBSOCKETS)
    )
    assert ours == model


def test_decoded_size_counts() -> None:
    """Frames that an extension makes larger must not exceed the limit, nor those it shrinks."""
    for library in (WSCOMPAT, WEBSOCKETS):
        sender = opened(library, "SERVER", ["padding"])
        target = opened(library, "CLIENT", ["padding"], max_size=20)
        for i in range(5):
            send = sender.send_continuation if i else sender.send_binary
            send(b"x" * 4, fin=i == 4)
        target.receive_data(b"".join(sender.data_to_send()))
        assert describe(target.parser_exc) == (
            "PayloadTooBig: frame with 12 bytes after reading 12 bytes exceeds limit of 20 bytes"
        )


def test_an_exception_of_an_extension(caplog: pytest.LogCaptureFixture) -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        protocol = opened(library, "CLIENT", ["xor"])
        protocol.extensions[0].decode = None
        protocol.receive_data(frame("CLIENT", 1, b"x", rsv=2))
        assert "TypeError" in str(describe(protocol.parser_exc))
        assert str(protocol.close_sent) == "1011 (internal error)"
        errors = [entry.getMessage() for entry in caplog.records if entry.levelname == "ERROR"]
        assert errors == ["parser failed"]


@pytest.mark.parametrize("name", ["xor", "deflate"])
def test_server_that_is_open(name: str) -> None:
    """The extensions that it could have accepted have no meaning any more."""
    for library in (WSCOMPAT, WEBSOCKETS):
        state = library.protocol.State.OPEN
        server = library.server.ServerProtocol(state=state, extensions=None)
        server.extensions = opened(library, "SERVER", [name]).extensions
        client = opened(library, "CLIENT", [name])
        client.send_text(b"hello")
        server.receive_data(b"".join(client.data_to_send()))
        (event,) = server.events_received()
        assert bytes(event.data) == b"hello"


@pytest.mark.parametrize("accepts", [True, False])
def test_negotiation(accepts: bool) -> None:
    """The client of either library with the server of the other."""
    for one, other in ((WSCOMPAT, WEBSOCKETS), (WEBSOCKETS, WSCOMPAT), (WSCOMPAT, WSCOMPAT)):
        client = one.client.ClientProtocol(
            one.uri.parse_uri("ws://e.com/"),
            extensions=one.deflate.enable_client_permessage_deflate([xor(one).client_factory()]),
        )
        factories = [xor(other).server_factory()] if accepts else []
        server = other.server.ServerProtocol(
            extensions=other.deflate.enable_server_permessage_deflate(factories)
        )
        shake_hands(client, server)
        names = ["x-xor", "permessage-deflate"] if accepts else ["permessage-deflate"]
        assert [extension.name for extension in client.extensions] == names
        assert [extension.name for extension in server.extensions] == names
        for sender, target in ((client, server), (server, client)):
            sender.send_text(b"hello hello hello hello")
            target.receive_data(b"".join(sender.data_to_send()))
            (event,) = target.events_received()
            assert bytes(event.data) == b"hello hello hello hello"
