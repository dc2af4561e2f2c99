"""Find a fast connection: measure the round-trip time, and reconnect if it is too long.

One name may stand for several servers, some of them nearer than others. Arguments: the server's
URL, the longest acceptable round trip in milliseconds, and the number of attempts.
"""

import asyncio
import sys

from wscore import WSCloseCode, WSListener, WSTransport, ws_connect

ROUNDS = 5


async def connect_quickly(url: str, limit: float, attempts: int) -> WSTransport:
    """Return the first connection whose best round trip is within the limit.

    Args:
        url: the server's URL.
        limit: seconds.
        attempts: number of attempts.

    Raises:
        TimeoutError: no connection was fast enough.
    """
    for attempt in range(1, attempts + 1):
        transport, _ = await ws_connect(WSListener, url)
        best = min(await transport.measure_roundtrip_time(ROUNDS))
        print(f"attempt {attempt}: best of {ROUNDS} round trips {best * 1000:.3f} ms")
        if best <= limit:
            return transport
        transport.send_close(WSCloseCode.GOING_AWAY)
        transport.disconnect()
        await transport.wait_disconnected()
    raise TimeoutError(f"no round trip within {limit * 1000:g} ms")


async def main(url: str, limit: str = "10", attempts: str = "3") -> None:
    """Find one and print it; a real program would then use it."""
    try:
        transport = await connect_quickly(url, float(limit) / 1000, int(attempts))
    except TimeoutError as exc:
        print("gave up:", exc)
        return
    print("quick enough")
    transport.send_close(WSCloseCode.OK)
    transport.disconnect()
    await transport.wait_disconnected()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
