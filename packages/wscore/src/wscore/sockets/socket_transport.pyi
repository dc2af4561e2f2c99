"""An asyncio transport that reads and writes its socket itself."""

import asyncio
import socket
from collections.abc import Iterable

from typing_extensions import Buffer, disjoint_base

from ..connection.protocol import WSProtocolCore
from .socket_control import SocketControl

__all__ = ["SocketTransport"]

@disjoint_base
class SocketTransport(SocketControl):
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket | int,
        protocol: WSProtocolCore,
    ) -> None: ...
    def write(self, data: Buffer) -> None: ...
    def writelines(self, list_of_data: Iterable[Buffer]) -> None: ...
