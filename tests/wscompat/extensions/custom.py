"""Extensions as programs write them, on the base classes of either library."""

import dataclasses
from types import SimpleNamespace
from typing import Any

KEY = 0x5A
DATA_OPCODES = (0, 1, 2)


def xor(library: Any) -> SimpleNamespace:
    """Make an extension that changes every byte, and marks that by RSV2."""
    base = library.extensions

    class Xor(base.Extension):  # type: ignore[misc, name-defined]
        name = "x-xor"

        def __init__(self, *, control_frames: bool = False) -> None:
            self.control_frames = control_frames

        def __repr__(self) -> str:
            return "Xor()"

        def concerns(self, frame: Any) -> bool:
            return self.control_frames or frame.opcode in DATA_OPCODES

        def decode(self, frame: Any, *, max_size: int | None = None) -> Any:
            if not frame.rsv2:
                return frame
            return dataclasses.replace(frame, data=changed(frame.data), rsv2=False)

        def encode(self, frame: Any) -> Any:
            if not self.concerns(frame):
                return frame
            return dataclasses.replace(frame, data=changed(frame.data), rsv2=True)

    class ClientFactory(base.ClientExtensionFactory):  # type: ignore[misc, name-defined]
        name = "x-xor"

        def get_request_params(self) -> Any:
            return [("key", str(KEY))]

        def process_response_params(self, params: Any, accepted_extensions: Any) -> Any:
            return Xor()

    class ServerFactory(base.ServerExtensionFactory):  # type: ignore[misc, name-defined]
        name = "x-xor"

        def process_request_params(self, params: Any, accepted_extensions: Any) -> Any:
            if params != [("key", str(KEY))]:
                raise library.exceptions.NegotiationError("unknown key")
            return [("agreed", None)], Xor()

    return SimpleNamespace(
        extension=Xor, client_factory=ClientFactory, server_factory=ServerFactory
    )


def padding(library: Any) -> SimpleNamespace:
    """Make an extension that makes every fragment eight bytes longer, without a reserved bit."""
    base = library.extensions

    class Padding(base.Extension):  # type: ignore[misc, name-defined]
        name = "x-padding"

        def __repr__(self) -> str:
            return "Padding()"

        def decode(self, frame: Any, *, max_size: int | None = None) -> Any:
            if frame.opcode not in DATA_OPCODES:
                return frame
            return dataclasses.replace(frame, data=bytes(frame.data[:-8]))

        def encode(self, frame: Any) -> Any:
            if frame.opcode not in DATA_OPCODES:
                return frame
            return dataclasses.replace(frame, data=bytes(frame.data) + bytes(8))

    return SimpleNamespace(extension=Padding)


def changed(data: Any) -> bytes:
    """Return a payload with every byte changed; doing it twice undoes it."""
    return bytes(byte ^ KEY for byte in data)
