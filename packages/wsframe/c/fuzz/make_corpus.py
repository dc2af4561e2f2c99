"""Write the initial inputs of each fuzz target's corpus; inputs found by fuzzing are beside them.

Run it after the input format of a target has changed. It never removes a file.
"""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def header(b0: int, size: int, key: bytes = b"") -> bytes:
    """Encode a frame header, in the form that the size needs."""
    bit = 0x80 if key else 0
    if size < 126:
        return bytes([b0, bit | size]) + key
    if size < 0x10000:
        return bytes([b0, bit | 126]) + size.to_bytes(2, "big") + key
    return bytes([b0, bit | 127]) + size.to_bytes(8, "big") + key


def frame(b0: int, payload: bytes, key: bytes = b"") -> bytes:
    """Encode a frame."""
    body = bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if key else payload
    return header(b0, len(payload), key) + body


def parser_input(stream: bytes, *, server: bool = False, rsv: int = 0, step: int = 2) -> bytes:
    """Put the configuration in front of a stream, without limits."""
    return bytes([2 | server, rsv, 0, 0, step]) + stream


KEY = b"\x37\xfa\x21\x3d"

INPUTS: dict[str, dict[str, bytes]] = {
    "header": {
        "text": header(0x81, 5),
        "masked": header(0x82, 125, KEY),
        "16-bit": header(0x82, 126, KEY),
        "64-bit": header(0x02, 65536),
        "top-bit": b"\x82\x7f\x80" + bytes(7),
        "not-shortest": b"\x82\x7e\x00\x7d",
        "opcode": b"\x83\x00",
        "ping-fragment": b"\x09\x00",
        "close": b"\x03\xe8bye",
    },
    "mask": {
        f"{name}-{size}": bytes([variant, 1, shift, 3]) + KEY + bytes(range(256))[:size]
        for name, variant, size, shift in [
            ("auto", 0, 0, 0),
            ("scalar", 1, 37, 3),
            ("sse2", 2, 70, 5),
            ("avx2", 3, 140, 7),
            ("avx512", 4, 255, 9),
            ("neon", 5, 100, 1),
        ]
    },
    "utf8": {
        "mixed": b"\x02" + "aé€😀z".encode() * 3,
        "ascii": b"\x4f" + b"hello world " * 12,
        "bad": b"\x00ab\xff",
        "surrogate": b"\x00\xed\xa0\x80",
        "cut": b"\x00\xf0\x9f\x98",
    },
    "parser": {
        "text": parser_input(frame(0x81, b"Hello")),
        "masked": parser_input(frame(0x81, "héllo".encode(), KEY) * 2, server=True),
        "fragments": parser_input(
            frame(0x01, b"\xf0\x9f") + frame(0x89, b"p") + frame(0x80, b"\x98\x80"), step=0
        ),
        "close": parser_input(frame(0x88, b"\x03\xe8bye") + b"ignored"),
        "compressed": parser_input(frame(0xC1, b"\xff"), rsv=4),
        "large": parser_input(frame(0x82, b"x" * 300) + frame(0x82, b""), step=99),
        "limits": bytes([2, 0, 5, 3, 1]) + frame(0x02, b"x" * 9) + frame(0x00, b"y" * 9),
    },
    "roundtrip": {
        "small": bytes([0, 3]) + bytes([4, 0, 9, 1, 2, 3, 4]) * 4,
        "masked": bytes([1, 7]) + bytes([0, 1, 9, 1, 2, 3, 4, 15, 0, 5, 9, 9, 9, 9, 4, 2, 1, 5]),
        "streaming": bytes([2, 0]) + bytes([4, 3, 9, 1, 2, 3, 4]) * 2,
        "masked-streaming": bytes([0x53, 9])
        + bytes([0, 2, 9, 1, 2, 3, 4, 3, 0, 7, 1, 1, 1, 1]) * 3,
    },
}

for target, inputs in INPUTS.items():
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (folder / name).write_bytes(data)
