"""Connections that send as fast as the server reads, and read nothing.

    python -m benchmarks.fairness.flood PORT CONNECTIONS SIZE

It prints "ready", and floods until its standard input ends.
"""

import os
import select
import sys

from .wire import connect, masked

CHUNK = 1 << 16  # bytes of small messages that are sent at once


def main(port: int, connections: int, size: int) -> None:
    """Flood."""
    os.nice(19)  # the polite client shares the processor, and must not wait for this one
    message = masked(bytes(size))
    chunk = memoryview(message * max(1, CHUNK // len(message)))
    socks = [connect(port) for _ in range(connections)]
    by_number = {sock.fileno(): sock for sock in socks}
    sent = dict.fromkeys(by_number, 0)  # of the chunk
    poll = select.epoll()
    for number, sock in by_number.items():
        sock.setblocking(False)
        poll.register(number, select.EPOLLOUT)
    poll.register(0, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for number, _ in poll.poll():
            if number == 0:
                return
            try:
                sent[number] += by_number[number].send(chunk[sent[number] :])
            except BlockingIOError:
                continue
            except OSError:  # the server has closed the connection
                poll.unregister(number)
            sent[number] %= len(chunk)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
