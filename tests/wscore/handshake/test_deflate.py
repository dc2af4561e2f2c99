"""Negotiation of permessage-deflate: our own rules, and compared with those of websockets."""

import itertools
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidHandshake
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

from wscore import (
    WSDeflate,
    WSDeflateParameters,
    WSMessageReader,
    ws_connect,
    ws_create_server,
)
from wscore.handshake.deflate import EXTENSION
from wscore.handshake.extensions import parse_extensions

NOTHING = WSDeflate(server_max_window_bits=None, client_max_window_bits=None)
ENGINES = ["isal", "zlib-ng", "zlib"]

# Any two of them may be in conflict.
FLAGS = ["", "; server_no_context_takeover", "; client_no_context_takeover"]
SERVER_BITS = ["", *(f"; server_max_window_bits={bits}" for bits in (8, 9, 12, 15))]
CLIENT_BITS = ["", *(f"; client_max_window_bits={bits}" for bits in (8, 9, 12, 15))]
WRONG = [
    "; server_max_window_bits",
    "; server_max_window_bits=7",
    "; server_max_window_bits=16",
    "; server_max_window_bits=010",
    "; server_max_window_bits=+9",
    "; server_max_window_bits=9; server_max_window_bits=9",
    "; client_max_window_bits=08",
    "; client_max_window_bits=1000000000000",
    "; server_no_context_takeover=1",
    "; client_no_context_takeover; client_no_context_takeover",
    "; unknown",
    "; Server_No_Context_Takeover",
]


def parameters(header: str) -> list[tuple[str, str | None]]:
    (extension,) = parse_extensions([EXTENSION + header])
    return extension.parameters


def settings(*client_bits: int | bool | None) -> Iterator[dict[str, Any]]:
    """Generate all settings of the four parameters that every engine supports."""
    flags = [False, True]
    bits = [None, 9, 12, 15]
    for values in itertools.product(flags, flags, bits, [*bits, *client_bits]):
        yield dict(
            zip(
                (
                    "server_no_context_takeover",
                    "client_no_context_takeover",
                    "server_max_window_bits",
                    "client_max_window_bits",
                ),
                values,
                strict=True,
            )
        )


def headers() -> Iterator[str]:
    """Generate many header values with the four parameters, valid and invalid."""
    for parts in itertools.product(FLAGS, SERVER_BITS, [*CLIENT_BITS, "; client_max_window_bits"]):
        yield "".join(parts)
    yield from WRONG


def test_the_default_offer() -> None:
    assert WSDeflate().offer() == "permessage-deflate; client_max_window_bits"
    assert NOTHING.offer() == "permessage-deflate"
    assert WSDeflate(server_max_window_bits=12, client_max_window_bits=10).offer() == (
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=10"
    )


def test_the_client_reads_answers_as_websockets_does() -> None:
    for setting in settings(True):
        ours, theirs = WSDeflate(**setting), ClientPerMessageDeflateFactory(**setting)
        offer = parse_extensions([ours.offer()])[0].parameters
        assert offer == [
            (name, None if value is None else str(value))
            for name, value in theirs.get_request_params()
        ]
        for header in headers():
            found = expected = None
            try:
                theirs_agreed = theirs.process_response_params(parameters(header), [])
                expected = WSDeflateParameters(
                    theirs_agreed.remote_no_context_takeover,
                    theirs_agreed.local_no_context_takeover,
                    theirs_agreed.remote_max_window_bits,
                    theirs_agreed.local_max_window_bits,
                )
                if expected.client_max_window_bits == 8:
                    expected = None
            except InvalidHandshake:
                pass
            try:
                found = ours.confirm(parameters(header))
            except ValueError:
                pass
            assert found == expected, (setting, header)


def test_the_server_answers_as_websockets_does() -> None:
    for setting in settings():
        ours, theirs = WSDeflate(**setting), ServerPerMessageDeflateFactory(**setting)
        for header in headers():
            expected = None
            try:
                answer, agreed = theirs.process_request_params(parameters(header), [])
                expected = (
                    [(name, None if value is None else str(value)) for name, value in answer],
                    WSDeflateParameters(
                        agreed.local_no_context_takeover,
                        agreed.remote_no_context_takeover,
                        agreed.local_max_window_bits,
                        agreed.remote_max_window_bits,
                    ),
                )
                if expected[1].server_max_window_bits == 8:
                    expected = None
            except InvalidHandshake:
                pass
            found = ours.answer([parameters(header)])
            if found is None:
                assert expected is None, (setting, header)
            else:
                read = parse_extensions([found[0]])[0].parameters, found[1]
                assert read == expected, (setting, header)


def test_the_first_offer_that_can_be_kept_is_accepted() -> None:
    offers = [
        parameters("; unknown"),
        parameters("; server_max_window_bits=8"),
        parameters("; server_max_window_bits=10"),
        parameters(""),
    ]
    answer = NOTHING.answer(offers)
    assert answer is not None
    assert answer[0] == "permessage-deflate; server_max_window_bits=10"
    assert NOTHING.answer(offers[:2]) is None
    assert NOTHING.answer([]) is None


def test_a_window_of_8_bits_is_inflated_and_never_promised() -> None:
    answer = NOTHING.answer([parameters("; client_max_window_bits=8")])
    assert answer is not None
    assert answer[1].client_max_window_bits == 8
    assert NOTHING.confirm(parameters("; server_max_window_bits=8")).server_max_window_bits == 8
    with pytest.raises(ValueError):
        WSDeflate().confirm(parameters("; client_max_window_bits=8"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"server_max_window_bits": 8},
        {"server_max_window_bits": 16},
        {"client_max_window_bits": 8},
        {"client_max_window_bits": 0},
        {"server_max_window_bits": True},
        {"engine": "lzma"},
        {"engine": "isal", "level": 4},
        {"engine": "isal", "level": 0},
        {"level": 10},
        {"level": -1},
        {"memory_level": 0},
        {"memory_level": 10},
        {"min_size": -1},
    ],
)
def test_wrong_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        WSDeflate(**wrong)


def test_the_level_of_isal_that_lets_messages_grow() -> None:
    with pytest.raises(ValueError, match=r"isal must be from 1 to 3, not 0; .*grow"):
        WSDeflate(engine="isal", level=0)
    assert WSDeflate(level=0).compressor(15).key[1] == "zlib-ng"


def test_a_missing_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    from wscore.handshake import deflate

    deflate._loaded.clear()
    monkeypatch.setitem(__import__("sys").modules, "isal.isal_zlib", None)
    try:
        with pytest.raises(ImportError, match="isal"):
            WSDeflate(engine="isal")
        assert WSDeflate().compressor(12).key[1] == "zlib-ng"
        monkeypatch.setitem(__import__("sys").modules, "zlib_ng.zlib_ng", None)
        deflate._loaded.clear()
        assert WSDeflate().compressor(12).key[1] == "zlib"
        assert WSDeflate().inflater() == (zlib.decompressobj, zlib.error)
        monkeypatch.undo()
        monkeypatch.setitem(__import__("sys").modules, "zlib_ng.zlib_ng", None)
        deflate._loaded.clear()
        assert WSDeflate().inflater()[0].__module__.startswith("isal")
    finally:
        deflate._loaded.clear()


def test_which_engine_is_taken() -> None:
    assert WSDeflate().compressor(12).key[1:] == ("isal", 1, zlib.DEFLATED, -12, 3)
    assert WSDeflate(level=6).compressor(12).key[1:] == ("zlib-ng", 6, zlib.DEFLATED, -12, 5)
    for engine in ENGINES:
        assert WSDeflate(engine=engine).compressor(9).key[1] == engine
    zlib_ng = pytest.importorskip("zlib_ng.zlib_ng")
    assert WSDeflate().inflater() == (zlib_ng.decompressobj, zlib_ng.error)
    assert WSDeflate(level=6).inflater() == (zlib_ng.decompressobj, zlib_ng.error)
    assert WSDeflate(engine="zlib").inflater() == (zlib.decompressobj, zlib.error)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bits", range(9, 16))
def test_every_engine_keeps_to_its_window(engine: str, bits: int) -> None:
    noise = bytes((i * i * 2654435761 >> 13) & 255 for i in range(300))
    for level in (1, 2, 3):
        make = WSDeflate(engine=engine, level=level).compressor(bits).make
        stream, inflate = make(), zlib.decompressobj(-bits)
        for distance in [*(2**power + more for power in range(9, 16) for more in (-1, 0, 1))]:
            filler = bytes((i * i * i * 40503 >> 7) & 255 for i in range(distance - 300))
            data = noise + filler + noise
            packed = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
            assert packed.endswith(b"\x00\x00\xff\xff")
            assert inflate.decompress(packed) == data


@pytest.mark.parametrize("deflate", [True, False, {}, WSDeflate, WSDeflateParameters()])
async def test_arguments_that_are_no_settings(deflate: Any) -> None:
    with pytest.raises(TypeError, match=r"^deflate must be a WSDeflate or None, not "):
        await ws_connect(WSMessageReader, "ws://nowhere.invalid/", deflate=deflate)
    with pytest.raises(TypeError, match=r"^deflate must be a WSDeflate or None, not "):
        await ws_create_server(lambda _: WSMessageReader(), "127.0.0.1", 0, deflate=deflate)
