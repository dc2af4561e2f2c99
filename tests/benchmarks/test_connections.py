"""The program of the benchmark for libraries whose connections are awaited."""

import asyncio

from benchmarks.bench.programs.connections import Connections
from benchmarks.bench.programs.dialogue import Options


async def test_a_connection_that_is_cut_off_gets_no_more_broadcasts() -> None:
    """Otherwise each job of a run would cost more than the one before."""
    program = Connections(
        Options(task="broadcast"),
        client="wscompat.asyncio.client",
        server="wscompat.asyncio.server",
        broadcaster="wscompat.asyncio.server",
        connecting={"proxy": None},
    )
    async with asyncio.timeout(10):
        await program.open(Options(connections=1, port=await program.serve()))
        await program.clients[0].send(b"again")
        assert await program.clients[0].recv() == b"again"
        (peer,) = program.peers
        program.clients[0].transport.abort()
        await peer.wait_closed()
        program.running.close()
        await program.running.wait_closed()
    assert not program.peers
