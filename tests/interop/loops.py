"""The event loops that everything runs on, by name; uvloop only where it is installed."""

import asyncio
from collections.abc import Callable, Mapping

try:
    import uvloop
except ImportError:  # there is none for Windows
    LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop
    }
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
