"""A message that compresses like real ones: JSON of quotes, the same in every run.

It is compressed without references to earlier data, so that any peer can decompress it at any
position of its stream.
"""

import json
import random
import zlib

__all__ = ["compressed_json"]


def some_json(size: int) -> bytes:
    """Return a JSON list of trades, cut to a size."""
    random_numbers = random.Random(1)
    trades = [
        {
            "symbol": random_numbers.choice(["BTC-USD", "ETH-USD", "SOL-USD", "XRP-EUR"]),
            "price": round(random_numbers.uniform(10, 70000), 2),
            "size": round(random_numbers.expovariate(1), 6),
            "side": random_numbers.choice(["buy", "sell"]),
            "time": 1_700_000_000_000 + index * random_numbers.randrange(1, 900),
        }
        for index in range(size // 60)
    ]
    return json.dumps(trades).encode()[:size]


def compressed_json(size: int) -> bytes:
    """Return such a message as permessage-deflate sends it (RFC 7692, 7.2.1)."""
    compress = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = compress.compress(some_json(size)) + compress.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff")
