"""The cases: the conversations, and which endpoint is measured.

A case describes the conversation; `programs` implements it for each library.
"""

import dataclasses
from collections.abc import Iterator

__all__ = ["CASES", "QUICK", "QUICK_TLS", "Case"]


@dataclasses.dataclass(frozen=True)
class Case:
    """One conversation.

    Attributes:
        name: name of the case, with the size of its messages.
        task: task of the measured endpoint, in the words of the C reference.
        peer: task of the peer.
        size: bytes of each message.
        roles: the endpoint that is measured against the C reference: "server", "client"; "both" is
            the library at both endpoints.
        one_core: whether both endpoints share a core. If not, each has its own.
        unit: what is counted.
    """

    name: str
    task: str = "echo"
    peer: str = "echo"
    size: int = 256
    connections: int = 1
    in_flight: int = 1
    roles: tuple[str, ...] = ("server", "client")
    one_core: bool = True
    deflate: bool = False
    unit: str = "messages"

    def tasks(self, role: str) -> tuple[str, str]:
        """Return the tasks of the server and the client."""
        return (self.task, self.peer) if role == "server" else (self.peer, self.task)

    @property
    def is_idle(self) -> bool:
        return self.peer == "idle"


def sized(name: str, *sizes: int, **arguments: object) -> Iterator[Case]:
    for size in sizes:
        yield Case(f"{name}/{size}", size=size, **arguments)  # type: ignore[arg-type]


CASES = (
    *sized("echo", 16, 256, 8192, 100_000),
    Case("echo/1MiB", size=2**20),
    Case("echo/16MiB", size=2**24),
    *sized("echo-64-connections", 256, connections=64, roles=("server",)),
    *sized("in-flight-16", 256, in_flight=16),
    *sized("in-flight-32", 256, in_flight=32),
    *sized("in-flight-64", 16, 256, 8192, in_flight=64),
    # A client that receives is a consumer of market data.
    *sized(
        "receive",
        16,
        256,
        8192,
        task="sink",
        peer="source",
        roles=("client", "server"),
        one_core=False,
    ),
    *sized("send", 16, 256, 8192, task="source", peer="sink", one_core=False),
    *sized(
        "broadcast", 256, task="broadcast", peer="broadcast", connections=1000, roles=("server",)
    ),
    Case("handshake", peer="handshake", connections=16, roles=("server",), unit="connections"),
    Case("connect", task="handshake", connections=16, roles=("client",), unit="connections"),
    Case("idle", peer="idle", connections=5000, roles=("server",), unit="connections"),
    Case("deflate", size=4096, deflate=True),
)

# A representative selection, and the cases that are also run with TLS.
QUICK = (
    "echo/256",
    "echo/100000",
    "in-flight-64/256",
    "receive/256",
    "broadcast/256",
    "handshake",
    "idle",
    "deflate",
)
QUICK_TLS = ("echo/256", "in-flight-64/256")
