"""The program that `servers` starts: one echo server, reporting on standard output.

Usage: `python -m tests.interop.serve PEER LOOP CERT_FILE`. The first line it writes is its ports,
every further line a connection that has ended; all are JSON. It ends when its standard input does,
so it can never outlive the program that started it.
"""

import asyncio
import json
import ssl
import sys

from tests.interop.endpoints import Close, load_peer, serve_both
from tests.interop.loops import LOOPS


def report(path: str, close: Close | None) -> None:
    """Write the line for a connection that has ended."""
    print(json.dumps([path, close]), flush=True)


async def main(peer: str, cert_file: str) -> None:
    """Serve until standard input ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert_file)
    async with serve_both(load_peer(peer), tls, report) as ports:
        print(json.dumps(ports), flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    _, peer_name, loop_name, pem = sys.argv
    with asyncio.Runner(loop_factory=LOOPS[loop_name]) as runner:
        runner.run(main(peer_name, pem))
