"""A custom extension: every fragment ends with its checksum.

Usage: python checksum.py MESSAGE

Serves and connects, sends the message, and prints the echo.
"""

import asyncio
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace

from wscompat.asyncio.client import connect
from wscompat.asyncio.server import ServerConnection, serve
from wscompat.exceptions import ProtocolError
from wscompat.extensions import ClientExtensionFactory, Extension, ServerExtensionFactory
from wscompat.frames import Frame
from wscompat.typing import ExtensionName, ExtensionParameter

NAME = ExtensionName("x-checksum")


class Checksum(Extension):
    name = NAME

    def encode(self, frame: Frame) -> Frame:
        return replace(frame, data=bytes(frame.data) + checksum(frame.data))

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        data, found = frame.data[:-4], frame.data[-4:]
        if checksum(data) != found:
            raise ProtocolError("wrong checksum")
        return replace(frame, data=data)


class ClientFactory(ClientExtensionFactory):
    name = NAME

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        return []

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> Checksum:
        return Checksum()


class ServerFactory(ServerExtensionFactory):
    name = NAME

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Checksum]:
        return [], Checksum()


def checksum(data: bytes | bytearray | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def main(message: str) -> None:
    async with serve(echo, "localhost", 0, extensions=[ServerFactory()]) as server:
        port = server.sockets[0].getsockname()[1]
        uri = f"ws://localhost:{port}"
        async with connect(uri, proxy=None, extensions=[ClientFactory()]) as connection:
            await connection.send(message)
            print(connection.response.headers["Sec-WebSocket-Extensions"])
            print(await connection.recv())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
