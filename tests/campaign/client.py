"""One client process of the campaign: runs the connections that it is given as JSON, or echoes.

The polite one asks each server for an echo, again and again, and measures how long each takes.
"""

import argparse
import asyncio
import faulthandler
import json
import logging
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from tests.campaign.dialogue import converse
from tests.campaign.ledger import Fault, Kind
from tests.campaign.peers import Closed, connect
from tests.campaign.plan import connection_plan, request_path
from tests.campaign.records import Recorder
from tests.interop.loops import LOOPS

__all__: list[str] = []

# A polite peer that gets no echo for this long is not served.
ECHO_LIMIT = 60.0
BETWEEN_ECHOES = 0.1


async def run_connection(
    job: dict[str, Any], recorder: Recorder, tls: ssl.SSLContext, *, may_fail: bool
) -> None:
    """Be the client of one connection."""
    name, seed, api = job["name"], job["seed"], job["api"]
    await asyncio.sleep(job["delay"])
    url = job["url"] + request_path(name, seed, api)
    record = recorder.begin(name, "client")
    plan = connection_plan(seed, api, job["server_api"])
    context = tls if url.startswith("wss:") else None
    is_open = False
    try:
        async with connect(api, url, tls=context, compression=job["compression"]) as connection:
            is_open = True
            await converse(connection, name, "client", plan, record)
    except Exception as exc:
        is_broken = not is_open and plan.server_breaks and not isinstance(exc, TimeoutError)
        if not (may_fail or is_broken):
            where = "" if is_open else " when connecting"
            record.fault(Kind.ERROR, f"{type(exc).__name__}{where}: {exc}")


async def run_all(
    jobs: list[dict[str, Any]], recorder: Recorder, tls: ssl.SSLContext, *, may_fail: bool
) -> None:
    """Run all connections at the same time, each after its delay."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, print_tasks)
    coroutines = [run_connection(job, recorder, tls, may_fail=may_fail) for job in jobs]
    await asyncio.gather(*coroutines)


def print_tasks() -> None:
    """Print what this process waits for."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)
    sys.stderr.flush()


async def be_polite(servers: list[dict[str, Any]], recorder: Recorder, tls: ssl.SSLContext) -> None:
    """Ask for echoes until SIGTERM; a line of output says that each server has answered once."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    answers = asyncio.Semaphore(0)
    tasks = [
        asyncio.ensure_future(echoes(server, answers, told, recorder, tls)) for server in servers
    ]
    for _ in tasks:
        await answers.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


async def echoes(
    server: dict[str, Any],
    answers: asyncio.Semaphore,
    told: asyncio.Event,
    recorder: Recorder,
    tls: ssl.SSLContext,
) -> None:
    """Ask one server for echoes, and write down how long each took."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    url = server["url"] + "/echo"
    context = tls if url.startswith("wss:") else None
    try:
        async with connect(server["api"], url, tls=context, compression=False) as connection:
            while not told.is_set():
                began = loop.time()
                message = f"polite {len(waits)}"
                async with asyncio.timeout(ECHO_LIMIT):
                    await connection.send(message)
                    if await connection.recv() != message:
                        raise RuntimeError("another echo than what was sent")
                waits.append(loop.time() - began)
                if len(waits) == 1:
                    answers.release()
                await asyncio.sleep(BETWEEN_ECHOES)
            await connection.close()
    except (Closed, TimeoutError, OSError, RuntimeError) as exc:
        text = f"polite peer of {server['server']}: {type(exc).__name__} {exc} after {len(waits)}"
        recorder.fault(Fault(Kind.ERROR, text))
        if not waits:
            answers.release()
    recorder.line(server=server["server"], waits=[round(wait, 5) for wait in waits])


def main() -> None:
    """Run the client."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--loop", required=True)
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--namespace", type=int, help="descriptor of a network namespace to enter")
    parser.add_argument("--polite", action="store_true")
    parser.add_argument("--may-fail", action="store_true", help="servers are killed meanwhile")
    arguments = parser.parse_args()
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    if arguments.namespace is not None:
        from tests.campaign.link import enter

        enter(arguments.namespace)
    tls = ssl.create_default_context(cafile=str(arguments.authority))
    jobs = json.load(sys.stdin)
    recorder = Recorder(arguments.records)
    with asyncio.Runner(loop_factory=LOOPS[arguments.loop]) as runner:
        if arguments.polite:
            runner.run(be_polite(jobs, recorder, tls))
        else:
            runner.run(run_all(jobs, recorder, tls, may_fail=arguments.may_fail))


if __name__ == "__main__":
    main()
