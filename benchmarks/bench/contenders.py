"""The contenders: the libraries, with the programs that use them.

To add one, add an entry here, and a program if no other library has the same API.
"""

import dataclasses
import importlib.util
import json
import subprocess
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
        name: name in the tables.
        program: the module below `programs`; empty if the program is compiled.
        compiled: otherwise, the compiled program in the folder written by `build`.
        needs: required modules or compilers; without them the contender is left out.
        packages: distributions whose versions are part of the result.
        variant: arguments of the program for this contender.
        deflate: whether it supports compression.
        skips: unsupported cases, by the beginning of their names.
    """

    name: str
    program: str = ""
    compiled: str = ""
    needs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    variant: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    deflate: bool = True
    skips: tuple[str, ...] = ()

    def missing(self, built: Path) -> list[str]:
        """Return its missing requirements.

        Args:
            built: the folder with the compiled programs.
        """
        if self.compiled:
            return [] if (built / self.compiled).is_file() else list(self.needs)

        def there(name: str) -> bool:
            try:
                return importlib.util.find_spec(name) is not None
            except ImportError:
                return False

        return [name for name in self.needs if not there(name)]

    def versions(self, built: Path) -> dict[str, str]:
        """Return the versions that are part of the result; a compiled program reports its own."""
        if self.compiled:
            command = [built / self.compiled, "version"]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            name, number = said.split()
            return {name: number}
        return {package: version(package) for package in self.packages}

    def command(self, built: Path) -> list[str]:
        """Return the command that starts its program, without role and options."""
        if self.compiled:
            return [str(built / self.compiled)]
        module = f"{PROGRAMS}.{self.program}"
        return [sys.executable, "-m", module, "--variant", json.dumps(self.variant)]


def callbacks(name: str, library: str, listeners: str, *needs: str) -> Contender:
    return Contender(
        name,
        "callbacks",
        needs=(library, *needs),
        packages=("wscore-asyncio" if library == "wscore" else library,),
        variant={"module": library, "listeners": listeners, "connecting": {}},
        deflate=False,
    )


def connections(
    name: str, package: str, client: str, server: str, broadcaster: str, connecting: dict[str, Any]
) -> Contender:
    return Contender(
        name,
        "connections",
        needs=(client, server),
        packages=(package,),
        variant={
            "client": client,
            "server": server,
            "broadcaster": broadcaster,
            "connecting": connecting,
        },
    )


def websockets_like(name: str, package: str, module: str) -> Contender:
    client, server = f"{module}.asyncio.client", f"{module}.asyncio.server"
    return connections(name, package, client, server, server, {"proxy": None})


def legacy(name: str, package: str) -> Contender:
    server = f"{package}.legacy.server"
    return connections(name, package, f"{package}.legacy.client", server, server, {})


REFERENCE = Contender("C reference", compiled="reference")
BASELINE = "picows"

CONTENDERS = (
    REFERENCE,
    callbacks("wscore", "wscore", f"{PROGRAMS}.listeners"),
    callbacks("wscore Cython", "wscore", "bench_wscore", "bench_wscore"),
    Contender(
        "wscore messages",
        "messages",
        needs=("wscore",),
        packages=("wscore-asyncio",),
        variant={"connecting": {}},
        skips=("broadcast", "send", "handshake", "connect"),
    ),
    websockets_like("wscompat", "wscompat", "wscompat"),
    legacy("wscompat.legacy", "wscompat"),
    callbacks("picows", "picows", f"{PROGRAMS}.listeners"),
    callbacks("picows Cython", "picows", "bench_picows", "bench_picows"),
    websockets_like("picows.websockets", "picows", "picows.websockets"),
    websockets_like("websockets", "websockets", "websockets"),
    legacy("websockets.legacy", "websockets"),
    Contender("aiohttp", "on_aiohttp", needs=("aiohttp",), packages=("aiohttp",)),
    Contender(
        "Boost.Beast",
        compiled="beast",
        needs=("boost/beast.hpp, or no C++ compiler",),
        deflate=False,
    ),
)
