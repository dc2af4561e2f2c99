"""The demonstration: every client talks with every server, and a table tells how it went.

It runs the clients in this process and each server in its own, on one event loop after the other.
Its exit status is 0 only if every byte of every reply was right.
"""

import argparse
import asyncio
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.endpoints import load_peer
from tests.interop.loops import LOOPS
from tests.interop.matrix import (
    PEERS,
    Pair,
    Result,
    Route,
    Transport,
    all_pairs,
    describe,
    run_pair,
)
from tests.interop.report import Report
from tests.interop.servers import in_own_process
from tests.interop.socks5 import socks5_proxy
from tests.support.tls import Tls, make_tls

SECONDS = 0.1

# Called with the event loop's name and the result of each pair, as it comes.
OnResult = Callable[[str, Result], None]


@dataclass(frozen=True)
class Place:
    """Where one run happens.

    Attributes:
        loop: the name of the event loop, the servers' too.
        tls: contexts and certificate files.
        folder: where logs go.
    """

    loop: str
    tls: Tls
    folder: Path

    def log_file(self, name: str) -> Path:
        """Return the log file of a server or of the proxy."""
        return self.folder / f"{name.replace(':', '.')}-{self.loop}.log"


async def run_loop(
    place: Place, pairs: Sequence[Pair], seconds: float, on_result: OnResult
) -> None:
    """Run all pairs on the current event loop, one after the other."""
    async with contextlib.AsyncExitStack() as stack:
        route = Route(place.tls.client)
        if any(pair.transport.proxied for pair in pairs):
            try:
                proxy = await stack.enter_async_context(socks5_proxy(place.log_file("proxy")))
            except (OSError, RuntimeError, TimeoutError) as error:
                for pair in pairs:
                    if pair.transport.proxied:
                        on_result(place.loop, Result(pair, error=describe(error)))
                pairs = [pair for pair in pairs if not pair.transport.proxied]
            else:
                route = Route(place.tls.client, proxy)
        for server in dict.fromkeys(pair.server for pair in pairs):
            its_pairs = [pair for pair in pairs if pair.server == server]
            await run_server(place, server, its_pairs, route, seconds, on_result)


async def run_server(
    place: Place,
    server: str,
    pairs: Sequence[Pair],
    route: Route,
    seconds: float,
    on_result: OnResult,
) -> None:
    """Start one server and run all pairs with it; if it does not start, all of them fail."""
    done = 0
    try:
        log_file = place.log_file(server)
        async with in_own_process(server, place.loop, place.tls.cert_file, log_file) as running:
            for pair in pairs:
                try:
                    client = load_peer(pair.client)
                except (ImportError, AttributeError) as error:
                    result = Result(pair, error=describe(error))
                else:
                    result = await run_pair(pair, client, running, route, seconds)
                done += 1
                on_result(place.loop, result)
    except (RuntimeError, TimeoutError) as error:
        for pair in pairs[done:]:
            on_result(place.loop, Result(pair, error=describe(error)))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="demo.py", description=__doc__)
    for side in ("clients", "servers"):
        parser.add_argument(
            f"--{side}",
            nargs="+",
            default=PEERS,
            metavar="PEER",
            help=f"default: {', '.join(PEERS)}; one from elsewhere is named module:attribute",
        )
    parser.add_argument(
        "--transports",
        nargs="+",
        type=Transport,
        default=tuple(Transport),
        metavar="TRANSPORT",
        help=f"default: {', '.join(transport.value for transport in Transport)}",
    )
    parser.add_argument(
        "--loops", nargs="+", choices=tuple(LOOPS), default=tuple(LOOPS), help="event loops"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="length of the burst of small round trips in each pair (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run the demonstration and return its exit status."""
    options = parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # it may not be able to write what it must show
        sys.stdout.reconfigure(errors="backslashreplace")
    pairs = list(all_pairs(options.clients, options.servers, options.transports))
    if not pairs:
        print("No pair has that client, server and transport.", file=sys.stderr)
        return 2
    report = Report(pairs, options.loops)
    report.introduce({*options.clients, *options.servers})
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, report.progress():
        tls = make_tls(Path(folder))
        for loop in options.loops:
            place = Place(loop, tls, Path(folder))
            with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                runner.run(run_loop(place, pairs, options.seconds, report.add))
        report.read_logs(Path(folder))
    report.conclude(time.perf_counter() - started)
    return 0 if report.right else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted")
