"""Peers that misbehave, from bare sockets: each is a thread's work, bounded in time and bytes.

Nothing is recorded of them: that servers live on, and serve polite peers, is what is looked at.
"""

import argparse
import base64
import contextlib
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable

__all__ = ["ATTACKS"]

CHUNK = 1 << 16
Attack = Callable[[socket.socket, random.Random, float], None]


def handshake(connection: socket.socket, rng: random.Random) -> bool:
    """Open a WebSocket; what follows is up to the caller."""
    key = base64.b64encode(rng.randbytes(16)).decode()
    request = (
        "GET /echo HTTP/1.1\r\nHost: campaign\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    connection.sendall(request.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = connection.recv(4096)
        if not received:
            return False
        answer += received
    return answer.startswith(b"HTTP/1.1 101")


def frame(opcode: int, payload: bytes, rng: random.Random) -> bytes:
    """Return one whole frame, masked with zeros, which costs nothing here."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


def send_until(connection: socket.socket, data: bytes, until: float) -> None:
    """Send the same again and again."""
    while time.monotonic() < until:
        connection.sendall(data)


def silent(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Connect, and say nothing."""
    time.sleep(max(0.0, until - time.monotonic()))


def drip(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send a request byte by byte."""
    request = b"GET /echo HTTP/1.1\r\nHost: campaign\r\nUpgrade: websocket\r\n" + b"X: y\r\n" * 40
    for byte in request:
        if time.monotonic() > until:
            return
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def blank_lines(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send nothing but blank lines."""
    send_until(connection, b"\r\n" * (CHUNK // 2), until)


def endless_headers(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send headers without end."""
    connection.sendall(b"GET / HTTP/1.1\r\n")
    send_until(connection, b"X: y\r\n" * 1000, until)


def garbage(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send bytes of no meaning, after a handshake or not."""
    if rng.random() < 0.5 and not handshake(connection, rng):
        return
    connection.sendall(rng.randbytes(rng.choice((1, 10, 1000, 100_000))))
    connection.recv(CHUNK)


def flood(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send small messages as fast as they go, and throw away their echoes."""
    if handshake(connection, rng):
        reader = threading.Thread(target=read_on, args=(connection, until), daemon=True)
        reader.start()
        send_until(connection, frame(2, rng.randbytes(100), rng) * 400, until)


def read_on(connection: socket.socket, until: float) -> None:
    """Read and throw away."""
    with contextlib.suppress(OSError, ValueError):
        while time.monotonic() < until and connection.recv(CHUNK):
            pass


def deaf_flood(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send messages as fast as they go, and never read an echo."""
    if handshake(connection, rng):
        send_until(connection, frame(2, rng.randbytes(2000), rng) * 20, until)


def pings(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send pings as fast as they go, and never read a pong."""
    if handshake(connection, rng):
        send_until(connection, frame(9, rng.randbytes(125), rng) * 300, until)


def half_frame(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Announce a large frame, and send half of it."""
    if handshake(connection, rng):
        whole = frame(2, bytes(1 << 20), rng)
        connection.sendall(whole[: rng.randrange(1, len(whole))])
        silent(connection, rng, until)


def fragments(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send tiny fragments of one message without end."""
    if handshake(connection, rng):
        start = bytes([0x02, 0x81, 0, 0, 0, 0, 0x41])
        connection.sendall(start)
        send_until(connection, bytes([0x00, 0x81, 0, 0, 0, 0, 0x41]) * 1000, until)


def close_and_stay(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send CLOSE, read nothing, close nothing."""
    if handshake(connection, rng):
        connection.sendall(frame(8, struct.pack("!H", 1000), rng))
        silent(connection, rng, until)


def reset_behind_request(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send a request and reset at once."""
    key = base64.b64encode(rng.randbytes(16)).decode()
    connection.sendall(
        "GET /echo HTTP/1.1\r\nHost: campaign\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_close(connection: socket.socket, rng: random.Random, until: float) -> None:
    """Send some messages and shut down the sending side, then read to the end."""
    if handshake(connection, rng):
        connection.sendall(frame(2, rng.randbytes(1000), rng) * 100)
        connection.shutdown(socket.SHUT_WR)
        read_on(connection, until)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        silent,
        drip,
        blank_lines,
        endless_headers,
        garbage,
        flood,
        deaf_flood,
        pings,
        half_frame,
        fragments,
        close_and_stay,
        reset_behind_request,
        half_close,
    )
}


def attack(job: dict, certificate: str) -> None:
    """Connect and misbehave; whatever the server does about it is right."""
    rng = random.Random(job["seed"])
    time.sleep(job["delay"])
    until = time.monotonic() + job["seconds"]
    with contextlib.suppress(OSError, ValueError):
        connection = socket.create_connection(("127.0.0.1", job["port"]), 10)
        connection.settimeout(job["seconds"] + 1)
        # TLS is for after its handshake; those that are about the time before never begin it.
        if job["tls"] and job["attack"] not in ("silent", "drip", "blank_lines"):
            context = ssl.create_default_context(cafile=certificate)
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
        with connection:
            ATTACKS[job["attack"]](connection, rng, until)


def main() -> None:
    """Run all attacks of a list from stdin at the same time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--authority", required=True)
    arguments = parser.parse_args()
    jobs = json.load(sys.stdin)
    threads = [
        threading.Thread(target=attack, args=(job, arguments.authority), daemon=True)
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
