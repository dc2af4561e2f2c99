"""That a client process tells a connection that its server has broken from one that failed."""

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.campaign.client import run_connection
from tests.campaign.ledger import Kind
from tests.campaign.plan import connection_plan
from tests.campaign.records import Reading, Recorder

APIS = ("wscore.reader", "wscompat.asyncio", "wscompat.legacy")


def seed_of_plan(api: str, *, server_breaks: bool) -> int:
    plans = ((seed, connection_plan(seed, api, "wscore.frames")) for seed in range(1000))
    return next(seed for seed, plan in plans if plan.server_breaks is server_breaks)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("server_breaks", [False, True])
async def test_a_server_that_resets_at_once(api: str, server_breaks: bool, tmp_path: Path) -> None:
    def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    job = {
        "name": "1.2.3",
        "seed": seed_of_plan(api, server_breaks=server_breaks),
        "api": api,
        "server_api": "wscore.frames",
        "url": f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "compression": False,
        "delay": 0.0,
    }
    recorder = Recorder(tmp_path / "client")
    await run_connection(job, recorder, ssl.create_default_context(), may_fail=False)
    recorder.close()
    server.close()
    reading = Reading(tmp_path / "client")
    reading.update()
    kinds = [fault.kind for fault in reading.faults]
    assert kinds == ([] if server_breaks else [Kind.ERROR])
    assert not reading.sides["1.2.3", "client"].finished
