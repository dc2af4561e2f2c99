"""A WebSocket client on a blocking socket: sends one text, prints the reply, closes.

    python blocking_client.py ws://127.0.0.1:8765/ "Hello"

wsframe handles the frames; the opening handshake is one HTTP request, written by hand. TLS and time
limits are left out on purpose: it shows how little a program with its own I/O needs.
"""

import base64
import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from wsframe import CloseCode, Frame, FrameError, FrameParser, FrameWriter, Opcode, Role

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def shake_hands(sock: socket.socket, host: str, target: str) -> bytes:
    """Request an upgrade (RFC 6455, section 4.1); return the bytes received after the response."""
    key = base64.b64encode(os.urandom(16))
    sock.sendall(
        b"GET %b HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n"
        % (target.encode(), host.encode(), key)
    )
    received = b""
    while b"\r\n\r\n" not in received:
        data = sock.recv(4096)
        if not data or len(received) > 65536:
            raise ConnectionError("no reply to the handshake")
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (li.partition(b":") for li in lines)
    }
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    if status.split()[1:2] != [b"101"] or headers.get(b"sec-websocket-accept") != accept:
        raise ConnectionError(f"refused: {status.decode(errors='replace')}")
    return rest


def receive(sock: socket.socket, parser: FrameParser, first: bytes) -> Iterator[Frame]:
    """Yield frames until the peer closes; the socket writes into the parser's own memory."""
    yield from parser.feed(first)
    while not parser.closed:
        count = sock.recv_into(parser.get_buffer(16 * 1024))
        if count == 0:
            raise ConnectionError("connection lost")
        yield from parser.buffer_updated(count)


def talk(sock: socket.socket, first: bytes, text: str) -> str:
    """Send a text, collect the reply, close; answer pings meanwhile."""
    writer = FrameWriter(Role.CLIENT)
    parser = FrameParser(Role.CLIENT, max_message_size=1 << 24)
    reply = b""
    sock.sendall(writer.text(text))
    try:
        for frame in receive(sock, parser, first):
            if frame.opcode is Opcode.PING:
                sock.sendall(writer.pong(bytes(frame)))
            elif frame.opcode is Opcode.CLOSE:
                if not writer.closed:
                    sock.sendall(writer.close(frame.close_code or CloseCode.NORMAL))
            elif frame.message_opcode is Opcode.TEXT and not writer.closed:
                reply += bytes(frame)
                if frame.fin:
                    sock.sendall(writer.close(CloseCode.NORMAL, "thanks"))
    except FrameError as exc:
        sock.sendall(writer.close(exc.close_code, str(exc)))
        raise
    return reply.decode()


def main(url: str, text: str) -> str:
    """Connect, talk, disconnect; return the reply."""
    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname:
        raise ValueError("the URL must begin with ws://")
    with socket.create_connection((parts.hostname, parts.port or 80)) as sock:
        first = shake_hands(sock, parts.netloc, parts.path or "/")
        return talk(sock, first, text)


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
