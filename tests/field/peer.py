"""A peer that is only a socket, plain or with TLS in memory, on the loop that it works against.

`push` and `fill` never wait, so that user code that a test runs within a callback can refill the
socket while it "works": that is what a fast peer does, and this way it does not depend on time.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator

from tests.wscore import wire
from tests.wscore.raw_peer import ReceivedFrame

# How long anything here may take. Only a failing test waits for it.
BOUND = 5.0
CHUNK = 1 << 16


class Peer:
    """One end of a connection.

    Args:
        sock: connected, non-blocking.
        masks: whether it plays the client.
        context: for TLS; None for plain TCP.
    """

    def __init__(
        self, sock: socket.socket, masks: bool, context: ssl.SSLContext | None = None
    ) -> None:
        self.sock = sock
        self.masks = masks
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if context is not None:
            self._tls = context.wrap_bio(
                *(self._incoming, self._outgoing),
                server_side=not masks,
                server_hostname="localhost" if masks else None,
            )
        self._unsent = b""
        self._sent = 0  # of these
        self._received = bytearray()
        self._has_sent_close = False

    # -- out

    def encode(self, *parts: bytes | wire.F) -> bytes:
        """Return frames as the bytes that this side sends."""
        for part in parts:
            self._has_sent_close |= isinstance(part, wire.F) and part.opcode == wire.CLOSE
        return b"".join(p.wire(self.masks) if isinstance(p, wire.F) else p for p in parts)

    def push(self, *parts: bytes | wire.F) -> bool:
        """Send without waiting, and keep what the socket does not take for the next call.

        Returns:
            Whether all is sent.
        """
        self._unsent += self._sealed(self.encode(*parts))
        try:
            while self._sent < len(self._unsent):
                self._sent += self.sock.send(memoryview(self._unsent)[self._sent :])
        except BlockingIOError:
            return False
        self._unsent, self._sent = b"", 0
        return True

    def fill(self, chunk: bytes) -> int:
        """Send a chunk again and again, until the socket takes no more; how often."""
        count = 0
        if self.push():
            count = 1
            while self.push(chunk):
                count += 1
        return count

    async def send(self, *parts: bytes | wire.F) -> None:
        """Send, and wait until all is sent."""
        data = self._unsent[self._sent :] + self._sealed(self.encode(*parts))
        self._unsent, self._sent = b"", 0
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    def _sealed(self, data: bytes) -> bytes:
        if self._tls is None or not data:
            return data
        rest = memoryview(data)
        while rest:
            rest = rest[self._tls.write(rest) :]
        return self._outgoing.read()

    # -- in

    async def shake_hands(self) -> None:
        """Complete the TLS handshake, if there is to be one."""
        while self._tls is not None:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._send_raw(self._outgoing.read())
                if not await self._receive():
                    raise EOFError("the other side has closed TCP") from None
        await self._send_raw(self._outgoing.read())

    async def read_some(self) -> bytes:
        """Read what there is, at most 64 KiB; empty at the end of the connection."""
        while True:
            if self._tls is None:
                async with asyncio.timeout(BOUND):
                    return await asyncio.get_running_loop().sock_recv(self.sock, CHUNK)
            try:
                data = self._tls.read(CHUNK)
            except ssl.SSLWantReadError:
                if not await self._receive():
                    return b""
                continue
            except ssl.SSLZeroReturnError:  # after a close_notify of our own
                return b""
            if not data:
                self.hang_up()
            return data

    async def read_exactly(self, size: int) -> bytes:
        """Read so many bytes; EOFError if the connection ends before."""
        while len(self._received) < size:
            data = await self.read_some()
            if not data:
                raise EOFError(f"the end, after {len(self._received)} of {size} bytes")
            self._received += data
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    async def read_head(self) -> bytes:
        """Read the head of an HTTP message, with the empty line."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += await self.read_exactly(1)
        return data

    async def read_frame(self) -> ReceivedFrame:
        """Read the next frame; EOFError at the end of the connection."""
        first, second = await self.read_exactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.read_exactly(2 if size == 126 else 8), "big")
        key = await self.read_exactly(4) if second & 0x80 else b""
        payload = await self.read_exactly(size)
        return ReceivedFrame(
            opcode=first & 0x0F,
            payload=wire.mask(payload, key) if key else payload,
            fin=bool(first & 0x80),
            rsv=first >> 4 & 7,
            masked=bool(key),
        )

    async def read_frames(self) -> list[ReceivedFrame]:
        """Read all frames up to the end of the connection, which must be an orderly one.

        A CLOSE is answered; a server also ends the connection then (RFC 6455, 7.1.1).
        """
        frames: list[ReceivedFrame] = []
        with contextlib.suppress(EOFError):
            while True:
                frames.append(await self.read_frame())
                if frames[-1].opcode == wire.CLOSE:
                    await self.answer_close(frames[-1])
        assert not self._received, "half a frame"
        return frames

    async def answer_close(self, frame: ReceivedFrame) -> None:
        """Do as RFC 6455 asks for when a CLOSE was received."""
        # The other side may have failed the connection, and be gone.
        with contextlib.suppress(ConnectionError):
            if not self._has_sent_close:
                await self.send(wire.F(wire.CLOSE, frame.payload))
            if not self.masks:
                self.hang_up()

    async def read_to_end(self) -> bytes:
        """Read all that still comes, up to the end of the connection, orderly or not."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await self.read_some():
                self._received += data
        data = bytes(self._received)
        self._received.clear()
        return data

    # -- the end

    def hang_up(self) -> None:
        """End the own direction: with close_notify, if there is TLS, and of TCP."""
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._unsent += self._outgoing.read()
        with contextlib.suppress(OSError):
            self.push()
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection so that what was not read yet is lost."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def _send_raw(self, data: bytes) -> None:
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def _receive(self) -> int:
        async with asyncio.timeout(BOUND):
            data = await asyncio.get_running_loop().sock_recv(self.sock, CHUNK)
        self._incoming.write(data)
        return len(data)


@contextlib.asynccontextmanager
async def connected(
    port: int, context: ssl.SSLContext | None = None, room: int | None = None
) -> AsyncIterator[Peer]:
    """Connect to a server, as a client that has not yet begun, not even with TLS.

    Args:
        port: of the server, on loopback.
        context: for TLS.
        room: bytes of the socket's receive buffer; the system's default if None.
    """
    with socket.socket() as sock:
        sock.setblocking(False)
        if room is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Peer(sock, masks=True, context=context)


class Listening:
    """A socket that clients can connect to.

    Args:
        context: for TLS.
        room: as for `connected`.
    """

    def __init__(self, context: ssl.SSLContext | None = None, room: int | None = None) -> None:
        self._context = context
        self._sock = socket.socket()
        if room is not None:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.listen()
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]

    def close(self) -> None:
        """Accept no more."""
        self._sock.close()

    async def accept(self) -> Peer:
        """Accept the next client, with nothing said yet, not even for TLS."""
        async with asyncio.timeout(BOUND):
            sock, _ = await asyncio.get_running_loop().sock_accept(self._sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Peer(sock, masks=False, context=self._context)


@contextlib.contextmanager
def listening(context: ssl.SSLContext | None = None, room: int | None = None):
    """Listen for clients."""
    found = Listening(context, room)
    with contextlib.closing(found):
        yield found
