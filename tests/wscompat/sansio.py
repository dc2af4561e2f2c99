"""Runs the same calls and bytes through the sans-I/O layer of both libraries; notes what each does.

A step is bytes to receive, None for their end, or the name of a method with its arguments. What is
noted has no types of either library in it, and no random masks.
"""

import dataclasses
import importlib
import random
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import wsframe

MODULES = (
    *("client", "datastructures", "exceptions", "extensions", "frames", "http11", "protocol"),
    *("server", "streams", "uri", "utils"),
)


def load(name: str) -> SimpleNamespace:
    """Import the modules of a library."""
    modules = {module: importlib.import_module(f"{name}.{module}") for module in MODULES}
    deflate = importlib.import_module(f"{name}.extensions.permessage_deflate")
    return SimpleNamespace(**modules, deflate=deflate, name=name)


WSCOMPAT, WEBSOCKETS = load("wscompat"), load("websockets")

Step = bytes | tuple[Any, ...] | None
Make = Callable[[Any], Any]


def describe(exc: BaseException | None) -> str | None:
    """Return an exception's type and text, and those of its cause."""
    if exc is None:
        return None
    cause = "" if exc.__cause__ is None else f" from {describe(exc.__cause__)}"
    return f"{type(exc).__name__}: {exc}{cause}"


def shake_hands(client: Any, server: Any) -> None:
    """Pass the request and the response between the protocols of both sides."""
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    client.receive_data(b"".join(server.data_to_send()))
    client.events_received()


def unmasked(data: bytes) -> bytes:
    """Return one frame without its mask; other data unchanged."""
    if len(data) < 2 or not data[1] & 0x80 or data[:1] in (b"G", b"H"):
        return data
    size = data[1] & 0x7F
    start = 2 + {126: 2, 127: 8}.get(size, 0)
    payload = wsframe.apply_mask(data[start + 4 :], data[start : start + 4])
    return bytes([data[0], size]) + data[2:start] + payload


def undated(text: str) -> str:
    """Return headers without their date and the name of the library."""
    lines = (line for line in text.split("\r\n") if not line.startswith("Date: "))
    return "\r\n".join(lines)


def plain(event: Any) -> Any:
    """Return an event as plain values."""
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    values.pop("_exception", None)
    for name, value in values.items():
        if isinstance(value, bytes | bytearray):
            values[name] = bytes(value)
        elif hasattr(value, "raw_items"):
            values[name] = [item for item in value.raw_items() if item[0] != "Date"]
    return type(event).__name__, values


def observe(protocol: Any, *, events: Sequence[Any] = (), writes: Sequence[bytes] = ()) -> Any:
    """Return everything that a program can see of a protocol."""
    sent = [undated(unmasked(data).decode("latin-1")) for data in writes]
    closed = protocol.state.name == "CLOSED"
    return {
        "events": [plain(event) for event in events],
        "sent": sent,
        "state": protocol.state.name,
        "close_expected": protocol.close_expected(),
        "closes": (
            str(protocol.close_rcvd),
            str(protocol.close_sent),
            protocol.close_rcvd_then_sent,
        ),
        "close": (protocol.close_code, protocol.close_reason),
        "close_exc": describe(protocol.close_exc) if closed else None,
        "parser_exc": describe(protocol.parser_exc),
        "handshake_exc": describe(protocol.handshake_exc),
        "eof_sent": protocol.eof_sent,
        "subprotocol": protocol.subprotocol,
        "origin": protocol.origin,
        "extensions": [repr(extension) for extension in protocol.extensions],
        "sizes": (protocol.current_size, protocol.expect_continuation_frame),
    }


def pieces(data: bytes, split: str) -> Iterator[bytes]:
    """Split bytes: ``whole``, in single ``bytes``, or in random pieces that a seed chooses."""
    if split == "whole":
        yield data
    elif split == "bytes":
        yield from (data[i : i + 1] for i in range(len(data)))
    else:
        choose = random.Random(split)
        while data:
            size = choose.randint(1, 9)
            yield data[:size]
            data = data[size:]


SPLITS = ("whole", "bytes", "1", "2")


def replay(library: Any, make: Make, steps: Sequence[Step], split: str = "whole") -> list[Any]:
    """Do the steps; what there is to see after each.

    Args:
        library: the library to do them with.
        make: makes the protocol, from the library.
        steps: the steps.
        split: how bytes are cut, as for `pieces`.
    """
    protocol = make(library)
    record = [observe(protocol)]
    for step in steps:
        events: list[Any] = []
        writes: list[bytes] = []
        raised = None
        try:
            if step is None:
                protocol.receive_eof()
            elif isinstance(step, bytes):
                for piece in pieces(step, split):
                    protocol.receive_data(piece)
                    events += protocol.events_received()
                    writes += protocol.data_to_send()
            else:
                getattr(protocol, step[0])(*step[1:])
        except Exception as exc:
            raised = describe(exc)
        events += protocol.events_received()
        writes += protocol.data_to_send()
        record.append((step, raised, observe(protocol, events=events, writes=writes)))
    return record


def same(make: Make, steps: Sequence[Step], split: str = "whole") -> list[Any]:
    """Assert that both libraries do the same; return the record."""
    ours, model = (replay(library, make, steps, split) for library in (WSCOMPAT, WEBSOCKETS))
    for step, (found, expected) in enumerate(zip(ours, model, strict=True)):
        assert found == expected, f"step {step}: {found}\nis not\n{expected}"
    return ours


def frame(side: str, opcode: int, payload: bytes = b"", **options: Any) -> bytes:
    """Return a frame for one side to receive; masked with zeros for a server."""
    mask = b"\0\0\0\0" if side == "SERVER" else None
    return wsframe.build_frame(opcode, payload, mask=mask, **options)
