"""Compression is negotiated and done as by websockets: byte for byte, for it is the same zlib."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.deflated import CASES, Case, pieces
from tests.wscompat.sansio import WEBSOCKETS, WSCOMPAT, describe, plain

NAMES = (
    *("server_no_context_takeover", "client_no_context_takeover"),
    *("server_max_window_bits", "client_max_window_bits", "unknown"),
)
VALUES = (None, "", "7", "8", "9", "10", "12", "15", "16", "x", "08", "+9")
BITS = (None, True, False, 1, 7, 8, 9, 10, 15, 16)
PARAMETERS: list[Any] = [
    [],
    *([(name, value)] for name, value in itertools.product(NAMES, VALUES)),
    [("server_max_window_bits", "10")] * 2,
    [("server_no_context_takeover", None)] * 2,
    [("client_max_window_bits", None), ("server_max_window_bits", "9")],
    [
        *[("server_no_context_takeover", None), ("client_no_context_takeover", None)],
        *[("server_max_window_bits", "12"), ("client_max_window_bits", "11")],
    ],
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_max_window_bits": 10},
    {"client_max_window_bits": 10},
    {"client_max_window_bits": None},
    {"server_max_window_bits": 15, "client_max_window_bits": 15, "compress_settings": {"level": 9}},
]
SERVER_ONLY: list[dict[str, Any]] = [
    {"client_max_window_bits": 8},
    {"client_max_window_bits": 10, "require_client_max_window_bits": True},
    {"require_client_max_window_bits": True},
]


def attempt(action: Callable[[], Any]) -> Any:
    """Return the result of an action, or the exception."""
    try:
        return action()
    except Exception as exc:
        return describe(exc)


def same(action: Callable[[Any], Any]) -> Any:
    """Assert that an action has the same outcome with both libraries."""
    ours, model = (attempt(lambda: action(library)) for library in (WSCOMPAT, WEBSOCKETS))  # noqa: B023
    assert ours == model
    return ours


def client(library: Any, **settings: Any) -> Any:
    return library.deflate.ClientPerMessageDeflateFactory(**settings)


def server(library: Any, **settings: Any) -> Any:
    return library.deflate.ServerPerMessageDeflateFactory(**settings)


@pytest.mark.parametrize("make", [client, server])
def test_settings(make: Any) -> None:
    for name, bits in itertools.product(NAMES[2:4], BITS):
        same(lambda library: vars(make(library, **{name: bits})))  # noqa: B023
    for settings in ({"wbits": 9}, {"level": 1}, {}, None):
        same(lambda library: vars(make(library, compress_settings=settings)))  # noqa: B023
    for settings in SETTINGS + SERVER_ONLY * (make is server):
        same(lambda library: vars(make(library, **settings)))  # noqa: B023


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_client(settings: dict[str, Any]) -> None:
    same(lambda library: list(client(library, **settings).get_request_params()))
    for params in PARAMETERS:
        same(lambda library: repr(client(library, **settings).process_response_params(params, [])))  # noqa: B023


@pytest.mark.parametrize("settings", SETTINGS + SERVER_ONLY, ids=str)
def test_server(settings: dict[str, Any]) -> None:
    def answer(library: Any, params: Any) -> Any:
        built, extension = server(library, **settings).process_request_params(params, [])
        return built, repr(extension), extension.compress_settings

    for params in PARAMETERS:
        same(lambda library: answer(library, params))  # noqa: B023


def test_only_once() -> None:
    def accepted(library: Any) -> Any:
        return [library.deflate.PerMessageDeflate(False, False, 15, 15)]

    same(lambda library: client(library).process_response_params([], accepted(library)))
    same(lambda library: server(library).process_request_params([], accepted(library)))


@pytest.mark.parametrize("side", ["client", "server"])
def test_enable(side: str) -> None:
    def enabled(library: Any, *factories: Any) -> Any:
        return getattr(library.deflate, f"enable_{side}_permessage_deflate")(*factories)

    same(lambda library: [vars(factory) for factory in enabled(library, None)])
    same(lambda library: [vars(factory) for factory in enabled(library, ())])
    make = client if side == "client" else server
    for library in (WSCOMPAT, WEBSOCKETS):
        given = [make(library, server_max_window_bits=9)]
        assert enabled(library, given) is given


def frame(library: Any, opcode: str, data: Any, *flags: bool) -> Any:
    return library.frames.Frame(library.frames.Opcode[opcode], data, *flags)


@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("bits", [9, 12, 15])
def test_messages(bits: int, takeover: bool) -> None:
    text = b'{"key": "value", "numbers": [1, 2, 3]}' * 20
    sent = [
        *[("TEXT", text), ("TEXT", text), ("BINARY", b""), ("BINARY", memoryview(text))],
        *[("TEXT", text, False), ("PING", b"ping"), ("CONT", text, False), ("CONT", b"")],
        *[("CLOSE", b"\x03\xe8"), ("TEXT", b"last")],
    ]

    def talk(library: Any) -> Any:
        sender = library.deflate.PerMessageDeflate(not takeover, not takeover, bits, bits)
        target = library.deflate.PerMessageDeflate(not takeover, not takeover, bits, bits)
        wire = [sender.encode(frame(library, *arguments)) for arguments in sent]
        return [plain(each) for each in wire], [plain(target.decode(each)) for each in wire]

    wire, received = same(talk)
    assert [values["data"] for _, values in received] == [bytes(item[1]) for item in sent]
    assert wire[0][1]["rsv1"]
    assert (len(wire[1][1]["data"]) < len(wire[0][1]["data"])) is takeover


def test_what_is_not_compressed() -> None:
    def decode(library: Any) -> Any:
        extension = library.deflate.PerMessageDeflate(False, False, 15, 15)
        frames = [
            *[("TEXT", b"\xf2\x48\xcd\xc9\xc9\x07\x00", True, True), ("TEXT", b"a")],
            *[("TEXT", b"a", False), ("CONT", b"b"), ("PING", b"x", True, True)],
        ]
        return [plain(extension.decode(frame(library, *arguments))) for arguments in frames]

    same(decode)


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"", b"\0", b"\x02"])
def test_no_deflate_data(data: bytes) -> None:
    def decode(library: Any) -> Any:
        extension = library.deflate.PerMessageDeflate(False, False, 15, 15)
        return plain(extension.decode(frame(library, "TEXT", data, True, True)))

    same(decode)


@pytest.mark.parametrize("fragments", [1, 3])
def test_limit(fragments: int) -> None:
    def decode(library: Any, limit: int | None) -> Any:
        sender, target = (library.deflate.PerMessageDeflate(False, False, 15, 15) for _ in range(2))
        bomb = sender.encode(frame(library, "BINARY", bytes(100_000), fragments == 1))
        assert len(bomb.data) < 200
        return plain(target.decode(bomb, max_size=limit))

    for limit in (None, 1, 99_999, 100_000, 200_000):
        same(lambda library: decode(library, limit))  # noqa: B023


# -- where it differs, on purpose


def test_a_limit_of_nothing() -> None:
    """A message that has reached its limit may not go on; websockets takes 0 for no limit."""
    extension = WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15)
    compressed = extension.encode(frame(WSCOMPAT, "BINARY", bytes(1000)))
    with pytest.raises(WSCOMPAT.exceptions.PayloadTooBig):
        extension.decode(compressed, max_size=0)
    extension = WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15)
    nothing = extension.encode(frame(WSCOMPAT, "BINARY", b""))
    assert extension.decode(nothing, max_size=0).data == b""


def test_messages_behind_a_final_block() -> None:
    """A peer may end the deflate stream with a message (RFC 7692, 7.2.3.4): it begins another."""
    extension = WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15)
    for _ in range(2):
        hello = frame(WSCOMPAT, "TEXT", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", True, True)
        assert extension.decode(hello).data == b"Hello"


@pytest.mark.parametrize("count", [1, 2, 0])
@pytest.mark.parametrize("limit", [None, 1 << 20])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_final_blocks(case: Case, limit: int | None, count: int) -> None:
    """It inflates as wscore does, in how many fragments it may come."""
    extension = WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15)

    def inflated(packed: bytes) -> bytes:
        parts = pieces(packed, count)
        frames = [
            frame(WSCOMPAT, "CONT" if i else "BINARY", part, i == len(parts) - 1, i == 0)
            for i, part in enumerate(parts)
        ]
        return b"".join(extension.decode(each, max_size=limit).data for each in frames)

    for packed, expected in zip(case.packed, case.expected, strict=False):
        assert inflated(packed) == expected
    if case.is_corrupt:
        with pytest.raises(WSCOMPAT.exceptions.ProtocolError, match="decompression failed"):
            inflated(case.packed[-1])


def test_a_limit_counts_across_final_blocks() -> None:
    extension = WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15)
    twice = frame(WSCOMPAT, "BINARY", CASES[0].packed[0], True, True)
    assert extension.decode(twice, max_size=6).data == b"abcdef"
    with pytest.raises(WSCOMPAT.exceptions.PayloadTooBig):
        extension.decode(twice, max_size=5)


def test_a_message_of_nothing_changes_nothing() -> None:
    """Not even a byte where one should stand for nothing (RFC 7692, 7.2.3.6)."""
    sender, target = (WSCOMPAT.deflate.PerMessageDeflate(False, False, 15, 15) for _ in range(2))
    for _ in range(2):
        text = sender.encode(frame(WSCOMPAT, "TEXT", b"text"))
        assert target.decode(text).data == b"text"
        assert target.decode(frame(WSCOMPAT, "TEXT", b"", True, True)).data == b""
