"""Masking from Python; the kernels themselves are tested in C, at every length and alignment."""

import random
from array import array

import pytest

from wsframe import apply_mask, mask_variant

KEY = b"\x37\xfa\x21\x3d"


@pytest.mark.parametrize("size", [*range(70), 125, 126, 1000, 65_536, 1_000_003])
def test_definition(size: int) -> None:
    data = random.Random(size).randbytes(size)
    expected = (
        int.from_bytes(data, "big") ^ int.from_bytes((KEY * (size // 4 + 1))[:size], "big")
    ).to_bytes(size, "big")
    assert apply_mask(data, KEY) == expected


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_any_bytes_like(make: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    data = make(b"Hello")
    masked = apply_mask(data, make(KEY))
    assert masked == bytes.fromhex("7f9f4d5158")
    assert type(masked) is bytes
    assert bytes(data) == b"Hello"


def test_an_array_is_bytes_like() -> None:
    assert len(apply_mask(array("I", [1, 2]), KEY)) == 8


@pytest.mark.parametrize("mask", [b"", b"abc", b"abcde"])
def test_mask_of_another_size(mask: bytes) -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        apply_mask(b"data", mask)


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        apply_mask("text", KEY)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        apply_mask(b"data", 1234)  # type: ignore[arg-type]
    with pytest.raises(BufferError):
        apply_mask(memoryview(b"strided")[::2], KEY)


def test_same_as_websockets() -> None:
    speedups = pytest.importorskip("websockets.speedups")
    rng = random.Random(1)
    for size in range(300):
        data, key = rng.randbytes(size), rng.randbytes(4)
        expected = speedups.apply_mask(data, key)
        assert apply_mask(data, key) == expected
        assert apply_mask(data=data, mask=key) == speedups.apply_mask(data=data, mask=key)


def test_variant_has_a_name() -> None:
    assert mask_variant() in {"scalar", "sse2", "avx2", "avx512", "neon"}
