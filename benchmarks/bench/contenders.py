"""Who is measured: the libraries, with the programs that use them.

Adding one means adding an entry here, and a program if no other library has its API.
"""

import dataclasses
import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["BASELINE", "CONTENDERS", "REFERENCE", "Contender"]

PROGRAMS = "benchmarks.bench.programs"


@dataclasses.dataclass(frozen=True)
class Contender:
    """A library, used in one of its ways.

    Attributes:
        name: on the tables.
        program: the module below `programs`; empty for the C reference.
        needs: modules without which it is left out.
        packages: distributions whose versions belong to the result.
        variant: what the program is told about this contender.
        deflate: whether it can compress.
        skips: cases that it has no means for, by the beginning of their names.
    """

    name: str
    program: str
    needs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    variant: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    deflate: bool = True
    skips: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the modules that it needs and are not there."""

        def there(name: str) -> bool:
            try:
                return importlib.util.find_spec(name) is not None
            except ImportError:
                return False

        return [name for name in self.needs if not there(name)]

    def versions(self) -> dict[str, str]:
        return {package: version(package) for package in self.packages}

    def command(self, reference: Path) -> list[str]:
        """Return how its program is started, without role and words."""
        if not self.program:
            return [str(reference)]
        module = f"{PROGRAMS}.{self.program}"
        return [sys.executable, "-m", module, "--variant", json.dumps(self.variant)]


def callbacks(name: str, library: str, listeners: str, *needs: str) -> Contender:
    return Contender(
        name,
        "callbacks",
        (library, *needs),
        ("wscore-asyncio" if library == "wscore" else library,),
        {"module": library, "listeners": listeners, "connecting": {}},
        deflate=False,
    )


def connections(
    name: str, package: str, client: str, server: str, broadcaster: str, connecting: dict[str, Any]
) -> Contender:
    return Contender(
        name,
        "connections",
        (client, server),
        (package,),
        {"client": client, "server": server, "broadcaster": broadcaster, "connecting": connecting},
    )


def websockets_like(name: str, package: str, module: str) -> Contender:
    client, server = f"{module}.asyncio.client", f"{module}.asyncio.server"
    return connections(name, package, client, server, server, {"proxy": None})


def legacy(name: str, package: str) -> Contender:
    server = f"{package}.legacy.server"
    return connections(name, package, f"{package}.legacy.client", server, server, {})


REFERENCE = Contender("C reference", "")
BASELINE = "picows"

CONTENDERS = (
    REFERENCE,
    callbacks("wscore", "wscore", f"{PROGRAMS}.listeners"),
    callbacks("wscore Cython", "wscore", "bench_wscore", "bench_wscore"),
    Contender(
        "wscore messages",
        "messages",
        ("wscore",),
        ("wscore-asyncio",),
        {"connecting": {}},
        skips=("broadcast", "send", "handshake", "connect"),
    ),
    websockets_like("wscompat", "wscompat", "wscompat"),
    legacy("wscompat.legacy", "wscompat"),
    callbacks("picows", "picows", f"{PROGRAMS}.listeners"),
    callbacks("picows Cython", "picows", "bench_picows", "bench_picows"),
    websockets_like("picows.websockets", "picows", "picows.websockets"),
    websockets_like("websockets", "websockets", "websockets"),
    legacy("websockets.legacy", "websockets"),
    Contender("aiohttp", "on_aiohttp", ("aiohttp",), ("aiohttp",)),
)
