"""Measuring round-trip times, by pings with random payloads that identify their pongs."""

from ..loop.sealed_types cimport seal_type

import asyncio
import os
from time import perf_counter


cdef class RoundTrips:
    """The measurements of one connection.

    Args:
        transport: its `WSTransport`.
    """

    def __init__(self, transport):
        self._send_ping = transport.send_ping
        self._loop = asyncio.get_running_loop()
        self._pongs = {}

    async def measure(self, int rounds):
        """Ping and await the pong this many times; return the seconds of each."""
        cdef list result = []
        for _ in range(rounds):
            if self._ended:
                raise _gone()
            payload = os.urandom(8)
            pong = self._pongs[payload] = self._loop.create_future()
            try:
                sent = perf_counter()
                self._send_ping(payload)
                result.append(await pong - sent)
            finally:
                self._pongs.pop(payload, None)
        return result

    cdef bint take_pong(self, bytes payload) except -1:
        """Return whether a PONG answers one of these pings."""
        pong = self._pongs.get(payload)
        if pong is None:
            return False
        if not pong.done():
            pong.set_result(perf_counter())
        return True

    cdef int end(self) except -1:
        """End all measurements: the connection is lost."""
        self._ended = True
        self._send_ping = None
        for pong in self._pongs.values():
            if not pong.done():
                pong.set_exception(_gone())
        return 0


cdef object _gone():
    return ConnectionResetError("the connection is closed")


seal_type(RoundTrips)
