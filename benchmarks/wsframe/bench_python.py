"""Frames per second from Python: parsing, building, masking, compared with other libraries.

    python benchmarks/wsframe/bench_python.py [SIZE...]

Parsing is measured as a server: masked binary frames, received in pieces of 64 KiB. websockets is
measured through its sans-I/O protocol (`websockets.server.ServerProtocol`), wsproto through
`wsproto.Connection`. Each figure is the best of several interleaved rounds.

Target at 256 bytes: 10 times wsproto and 5 times websockets.
"""

import argparse
import time
from collections.abc import Callable

from websockets import frames as ws_frames
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.speedups import apply_mask as websockets_mask
from websockets.uri import parse_uri
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage

import wsframe

ROUNDS = 7
PIECE = 65536

Work = Callable[[], int]


def best_rates(contenders: dict[str, Work]) -> dict[str, float]:
    """Run the workloads alternately for several rounds; return their best items per second."""
    rates = dict.fromkeys(contenders, 0.0)
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            start = time.perf_counter()
            count = work()
            rates[name] = max(rates[name], count / (time.perf_counter() - start))
    return rates


def pieces_of(size: int, count: int) -> list[bytes]:
    """Return a client's stream of masked frames, as reads would deliver it."""
    stream = b"".join(wsframe.build_frame(2, bytes(size), mask=True) for _ in range(count))
    return [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]


def parse(size: int) -> dict[str, Work]:
    """Frames parsed; every contender touches each payload."""
    count = max(50, min(4000, 4_000_000 // (size + 1)))
    pieces = pieces_of(size, count)

    def by_wsframe(views: bool) -> Work:
        def work() -> int:
            parser = wsframe.FrameParser(wsframe.Role.SERVER, views=views, max_message_size=0)
            seen = 0
            for piece in pieces:
                for frame in parser.feed(piece):
                    seen += len(frame.payload) == size
            assert seen == count
            return seen

        return work

    def by_wsproto() -> int:
        connection = Connection(ConnectionType.SERVER)
        seen = 0
        for piece in pieces:
            connection.receive_data(piece)
            for event in connection.events():
                assert isinstance(event, BytesMessage)
                seen += event.message_finished
        assert seen == count
        return seen

    def by_websockets() -> int:
        protocol = ServerProtocol(state=State.OPEN, max_size=None)
        seen = 0
        for piece in pieces:
            protocol.receive_data(piece)
            for event in protocol.events_received():
                assert isinstance(event, ws_frames.Frame)
                seen += len(event.data) == size
        assert seen == count
        return seen

    return {
        "wsframe": by_wsframe(views=False),
        "wsframe, views": by_wsframe(views=True),
        "wsproto": by_wsproto,
        "websockets": by_websockets,
    }


def build(size: int) -> dict[str, Work]:
    """Masked frames built, as a client."""
    count = max(50, min(4000, 4_000_000 // (size + 1)))
    payload = bytes(size)

    def by_build_frame() -> int:
        for _ in range(count):
            wsframe.build_frame(2, payload, mask=True)
        return count

    def by_writer() -> int:
        writer = wsframe.FrameWriter(wsframe.Role.CLIENT)
        for _ in range(count):
            writer.binary(payload)
        return count

    def by_wsproto() -> int:
        connection = Connection(ConnectionType.CLIENT)
        event = BytesMessage(data=payload)
        for _ in range(count):
            connection.send(event)
        return count

    def by_websockets() -> int:
        protocol = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        for _ in range(count):
            protocol.send_binary(payload)
            protocol.data_to_send()
        return count

    return {
        "wsframe.build_frame": by_build_frame,
        "wsframe.FrameWriter": by_writer,
        "wsproto": by_wsproto,
        "websockets": by_websockets,
    }


def mask(size: int) -> dict[str, Work]:
    """Payloads masked by the function that websockets has too."""
    count = max(20, min(20_000, 200_000_000 // (size + 1)))
    payload, key = bytes(size), b"\x37\xfa\x21\x3d"

    def by(function: Callable[[bytes, bytes], bytes]) -> Work:
        def work() -> int:
            for _ in range(count):
                function(payload, key)
            return count

        return work

    contenders = {"wsframe": by(wsframe.apply_mask), "websockets": by(websockets_mask)}
    try:
        from wsaccel.xormask import XorMaskerSimple
    except ImportError:
        return contenders
    contenders["wsaccel"] = by(lambda data, key: XorMaskerSimple(key).process(data))
    return contenders


def report(title: str, size: int, contenders: dict[str, Work]) -> None:
    """Print the rates of all contenders, and what the first is relative to each."""
    rates = best_rates(contenders)
    first = next(iter(rates.values()))
    print(f"{title}, {size} bytes")
    for name, rate in rates.items():
        speed = f"{1e9 / rate:9.0f} ns {rate * size / 1e9:7.2f} GB/s"
        print(f"  {name:20} {rate:12,.0f}/s {speed}  x{first / rate:.1f}")


def main() -> None:
    """Measure parsing, building and masking at the given sizes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sizes", nargs="*", type=int, default=[16, 256, 4096, 65536])
    for size in arguments.parse_args().sizes:
        report("parse", size, parse(size))
        report("build", size, build(size))
        report("apply_mask", size, mask(size))


if __name__ == "__main__":
    main()
