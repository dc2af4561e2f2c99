"""Looks for a quick connection: measures the round trip, and connects anew if it takes too long.

Behind one name there may be several servers, some of them nearer than others. Arguments: the
server's URL, the longest round trip that will do in milliseconds, and how often to try.
"""

import asyncio
import sys

from wscore import WSCloseCode, WSListener, WSTransport, ws_connect

ROUNDS = 5


async def connect_quickly(url: str, limit: float, attempts: int) -> WSTransport:
    """Return the first connection whose best round trip is within the limit.

    Args:
        url: the server's.
        limit: seconds.
        attempts: how often to try.

    Raises:
        TimeoutError: no connection was quick enough.
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
    """Find one and say so; a real program would begin to work with it."""
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
