"""The library that a program runs on, and the event loop: both are named on its command line.

Importing this makes ``import websockets`` give that library, so it must be imported before any that
uses it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

LIBRARY, LOOP = sys.argv[1:]
# Longer than any step of a program, unless it has failed.
BOUND = 20.0

if LIBRARY == "wscompat":
    import wscompat

    wscompat.install()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a program, and make sure that it ran on the library that was chosen."""

    async def bounded() -> None:
        async with asyncio.timeout(BOUND):
            await main()

    loop_factory = asyncio.new_event_loop
    if LOOP == "uvloop":
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(bounded())
    loaded = {name.partition(".")[0] for name in sys.modules}
    import websockets

    assert websockets.__name__ == LIBRARY
    assert ("wscompat" in loaded) == (LIBRARY == "wscompat")
    print("done")
