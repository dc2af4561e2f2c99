"""One connection that sends small messages, and waits for each echo and a moment in between.

    python -m benchmarks.fairness.polite PORT SECONDS

It prints "ready", and starts to measure when it reads a line. Then it prints, as JSON, how long
each echo took, in seconds, and whether the server has closed the connection.
"""

import json
import socket
import sys
import time
from typing import Any

from .wire import connect, masked

PERIOD = 0.005  # seconds from one message to the next, or longer if the echo takes longer
PATIENCE = 10.0  # seconds to wait for an echo
SIZE = 16  # bytes: by this the server knows what to echo


def measure(sock: socket.socket, seconds: float) -> dict[str, Any]:
    """Return how long the echo of each message took, and whether the connection was lost."""
    sock.settimeout(PATIENCE)
    latencies: list[float] = []
    message = masked(bytes(SIZE))
    end = time.perf_counter() + seconds
    lost = False
    while not lost and (sent := time.perf_counter()) < end:
        missing = 2 + SIZE
        try:
            sock.sendall(message)
            while missing and not lost:
                received = len(sock.recv(missing))
                missing -= received
                lost = received == 0
        except OSError:  # or TimeoutError
            lost = True
        latencies.append(time.perf_counter() - sent)
        time.sleep(max(0.0, sent + PERIOD - time.perf_counter()))
    return {"latencies": latencies, "lost": lost}


def main(port: int, seconds: float) -> None:
    """Connect, and measure on command."""
    sock = connect(port)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(measure(sock, seconds)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
