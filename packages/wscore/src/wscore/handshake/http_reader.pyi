"""Parsing the headers of HTTP messages."""

from typing import final

from typing_extensions import disjoint_base

from .http import WSUpgradeRequest, WSUpgradeResponse

__all__ = [
    "MAX_BODY_SIZE",
    "MAX_HEADERS",
    "MAX_HEAD_SIZE",
    "MAX_LINE_SIZE",
    "MAX_TARGET_SIZE",
    "RequestReader",
    "ResponseReader",
]

MAX_TARGET_SIZE: int
MAX_LINE_SIZE: int
MAX_HEADERS: int
MAX_HEAD_SIZE: int
MAX_BODY_SIZE: int

@disjoint_base
class HeadReader:
    @property
    def head(self) -> bytes: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...

@final
class RequestReader(HeadReader):
    def feed(self, data: bytes) -> tuple[WSUpgradeRequest, int] | None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...

@final
class ResponseReader(HeadReader):
    def feed(self, data: bytes) -> tuple[WSUpgradeResponse, int] | None: ...
    def end(self) -> WSUpgradeResponse | None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...
