"""One server process of the campaign: serves an API on sockets it was given, until SIGTERM.

SIGUSR1 has it free what it does not need, so that its memory can be compared with what it was.
"""

import argparse
import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import logging
import signal
import socket
import ssl
from pathlib import Path

from tests.campaign.dialogue import converse
from tests.campaign.peers import Closed, Connection, serve
from tests.campaign.plan import connection_plan, seed_of
from tests.campaign.records import Recorder
from tests.interop.loops import LOOPS

__all__: list[str] = []


class Program:
    """The server's state; the arguments are those of the command line."""

    def __init__(self, api: str, records: Path) -> None:
        self._api = api
        self._recorder = Recorder(records)

    async def handle(self, connection: Connection, path: str) -> None:
        """Answer one connection."""
        if path == "/echo":
            await self._echo(connection)
            return
        name, seed, client_api = seed_of(path)
        record = self._recorder.begin(name, "server")
        plan = connection_plan(seed, client_api, self._api)
        await converse(connection, name, "server", plan, record)

    async def run(
        self,
        plain: list[socket.socket],
        encrypted: list[socket.socket],
        tls: ssl.SSLContext,
    ) -> None:
        """Serve until told to end."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, told.set)
        loop.add_signal_handler(signal.SIGUSR1, free)
        async with contextlib.AsyncExitStack() as stack:
            for listening in plain:
                await stack.enter_async_context(serve(self._api, self.handle, listening, tls=None))
            for listening in encrypted:
                await stack.enter_async_context(serve(self._api, self.handle, listening, tls=tls))
            print("ready", flush=True)
            await told.wait()

    @staticmethod
    async def _echo(connection: Connection) -> None:
        with contextlib.suppress(Closed):
            while True:
                await connection.send(await connection.recv())


def free() -> None:
    """Give back what is free."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    print("freed", flush=True)


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", required=True)
    parser.add_argument("--loop", required=True)
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--plain", type=int, nargs="*", default=[])
    parser.add_argument("--encrypted", type=int, nargs="*", default=[])
    parser.add_argument("--certificate", type=Path, required=True)
    arguments = parser.parse_args()
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(arguments.certificate)
    program = Program(arguments.api, arguments.records)
    with asyncio.Runner(loop_factory=LOOPS[arguments.loop]) as runner:
        runner.run(
            program.run(
                [socket.socket(fileno=number) for number in arguments.plain],
                [socket.socket(fileno=number) for number in arguments.encrypted],
                tls,
            )
        )


if __name__ == "__main__":
    main()
