from typing import final

from _typeshed import ReadableBuffer

from wsframe.role import Role

__all__ = ["FrameWriter", "build_frame", "make_mask_key"]

def make_mask_key() -> bytes: ...
def build_frame(
    opcode: int,
    payload: ReadableBuffer | str = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: ReadableBuffer | bool | None = None,
) -> bytes: ...

@final
class FrameWriter:
    def __init__(self, role: Role) -> None: ...
    @property
    def closed(self) -> bool: ...
    def frame(
        self,
        opcode: int,
        payload: ReadableBuffer | str = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
    ) -> bytes: ...
    def text(self, text: ReadableBuffer | str, *, fin: bool = True, rsv: int = 0) -> bytes: ...
    def binary(self, data: ReadableBuffer, *, fin: bool = True, rsv: int = 0) -> bytes: ...
    def continuation(
        self, data: ReadableBuffer | str, *, fin: bool = True, rsv: int = 0
    ) -> bytes: ...
    def ping(self, data: ReadableBuffer = b"") -> bytes: ...
    def pong(self, data: ReadableBuffer = b"") -> bytes: ...
    def close(self, code: int = 1000, reason: str = "") -> bytes: ...
