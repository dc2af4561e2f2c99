"""Stay connected: when the connection is lost or refused, wait a little and reconnect.

The delay doubles with each failure, up to a limit, and varies at random, so that after an outage
not all clients reconnect at the same moment. Ends with Ctrl-C. Argument: the server's URL.
"""

import asyncio
import random
import sys

from wscore import (
    WSFrame,
    WSHandshakeError,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

FIRST_DELAY = 0.1  # seconds
LAST_DELAY = 30.0


class Client(WSListener):
    """The work of the program while it is connected."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        print("connected", flush=True)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def stay_connected(url: str) -> None:
    """Reconnect until cancelled, or until the server refuses permanently."""
    delay = FIRST_DELAY
    while True:
        try:
            # The pings detect a connection that is lost without notice.
            transport, _ = await ws_connect(Client, url, enable_auto_ping=True)
        except WSInvalidStatusError as exc:
            if exc.response is None or exc.response.status < 500:
                raise  # 401, 404: another attempt will not help
            print("refused:", int(exc.response.status), flush=True)
        except (OSError, WSHandshakeError) as exc:  # TimeoutError is an OSError
            print("failed:", type(exc).__name__, flush=True)
        else:
            delay = FIRST_DELAY
            try:
                await transport.wait_disconnected()
            finally:
                transport.disconnect()  # cancelled: the program ends
            print("lost", flush=True)
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(2 * delay, LAST_DELAY)


if __name__ == "__main__":
    try:
        asyncio.run(stay_connected(sys.argv[1]))
    except KeyboardInterrupt:
        print("stopped")
