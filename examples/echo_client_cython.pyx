# cython: language_level=3
"""An echo client in Cython: it sends a message repeatedly, and prints the round-trip time.

The listener's methods are called without going through Python, and the payload is read and written
where it lies: `payload_ptr` shows what was received, and `send_reuse_external_buffer` puts the
header in front of a message that is already in memory. Build it by

    python examples/setup.py build_ext --inplace

which needs `cython` and `setuptools` beside wscore. Start `examples/wscore/echo_server.py`, and in
the folder of the module, which the build leaves beside this file, run

    python -c "import asyncio, echo_client_cython as it; asyncio.run(it.main())"

Build it again whenever wscore is updated: it is compiled for the installed version.
"""

import time

from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy

from wscore cimport WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from wscore import ws_connect

__all__ = ["EchoClient", "main"]

cdef enum:
    ROOM = 14  # maximum bytes of a frame's header in front of the message
    SIZE = 256  # bytes of the message


cdef class EchoClient(WSListener):
    """Sends one message after the other, each when the previous one has been echoed.

    Args:
        rounds: how many.

    Attributes:
        correct: how many came back as they were sent.
    """

    cdef readonly uint64_t correct
    cdef uint64_t _left
    cdef char _message[SIZE]  # the expected echo
    cdef char _buffer[ROOM + SIZE]  # sending masks the bytes in place

    def __init__(self, uint64_t rounds):
        cdef int i
        self._left = rounds
        for i in range(SIZE):
            self._message[i] = <char>i

    cpdef on_ws_connected(self, WSTransport transport):
        self._send(transport)

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        if frame.payload_size == SIZE and memcmp(frame.payload_ptr, self._message, SIZE) == 0:
            self.correct += 1
        self._left -= 1
        if self._left:
            self._send(transport)
        else:
            transport.send_close(WSCloseCode.OK)

    cdef int _send(self, WSTransport transport) except -1:
        cdef char *message = self._buffer + ROOM
        memcpy(message, self._message, SIZE)
        return transport.send_reuse_external_buffer(WSMsgType.BINARY, message, SIZE)


async def main(str url="ws://127.0.0.1:9001/echo", uint64_t rounds=10_000):
    """Send messages to an echo server, wait for each echo, and print the result.

    Args:
        url: the server's.
        rounds: how many messages.
    """
    began = time.perf_counter()
    transport, client = await ws_connect(lambda: EchoClient(rounds), url)
    await transport.wait_disconnected()
    each = (time.perf_counter() - began) / rounds * 1e6
    print(f"{client.correct} of {rounds} messages came back as they were sent,", end=" ")
    print(f"each in {each:.1f} microseconds, connecting and closing included")
