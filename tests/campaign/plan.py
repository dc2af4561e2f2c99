"""What happens in a campaign: everything is drawn from seeds, nothing from clocks.

Both sides of a connection draw the same `ConnectionPlan` from the seed in the request's path, so
that they agree without a word. The order in which a machine runs processes is not in the plan; a
repeated seed repeats what is done, not to the microsecond when.
"""

import random
from dataclasses import dataclass

__all__ = [
    "BREAKING",
    "ConnectionPlan",
    "Ending",
    "SidePlan",
    "connection_plan",
    "request_path",
    "seed_of",
]


@dataclass(frozen=True)
class SidePlan:
    """What one side of a connection does.

    Attributes:
        seed: for what is drawn while it runs.
        count: how many messages it sends, unless the connection ends before.
        largest: the largest body.
        text: the share of its messages that are text.
        fragments: the share that is sent in fragments.
        pings: the share followed by a ping whose pong is awaited.
        pauses: the share followed by a pause, of up to `pause` seconds.
        pause: see `pauses`.
        cancels_recv: the share of receptions given up at a random moment, and begun anew.
        cancels_send: the share of sendings cancelled at a random moment.
        slow: the share of receptions followed by a pause.
    """

    seed: int
    count: int
    largest: int
    text: float
    fragments: float
    pings: float
    pauses: float
    pause: float
    cancels_recv: float
    cancels_send: float
    slow: float


@dataclass(frozen=True)
class Ending:
    """How a connection ends.

    Attributes:
        who: `client`, `server`, or `both`.
        how: `close`, with somebody still receiving; `deaf close`, with nobody receiving from then
            on; `disconnect`, wscore's, without CLOSE; `close and disconnect`, wscore's, without
            waiting for the answer; `return` from the server's handler; `abort`; `reset`.
        when: `sending`: half of its messages are sent, and go on being sent; `sent`: after its last
            message; `all`: both sides have sent and received all.
    """

    who: str
    how: str
    when: str


# After these there is no closing handshake to expect.
BREAKING = frozenset({"abort", "reset"})


@dataclass(frozen=True)
class ConnectionPlan:
    """What the two sides of a connection do."""

    client: SidePlan
    server: SidePlan
    ending: Ending

    @property
    def server_breaks(self) -> bool:
        """Whether the server breaks the connection; that may overtake its handshake response."""
        return self.ending.who == "server" and self.ending.how in BREAKING


def connection_plan(seed: int, client_api: str, server_api: str) -> ConnectionPlan:
    """Draw a plan; `how` is something that the API of the side that ends the connection has."""
    rng = random.Random(f"{seed} connection")
    client, server = _side(rng), _side(rng)
    who = rng.choice(("client", "server", "both"))
    how = rng.choices(
        ("close", "deaf close", "disconnect", "close and disconnect", "return", "abort", "reset"),
        (8, 2, 2, 2, 2, 1, 1),
    )[0]
    api = server_api if who == "server" else client_api
    if who == "both":
        how = "close"
    is_core = api.startswith(("wscore", "picows"))
    if not is_core and "disconnect" in how:
        how = "close"
    if how == "deaf close" and api == "wscore.reader":
        # Nothing is read while nobody receives, neither the peer's CLOSE nor its end; there is no
        # deadline for those before `disconnect`.
        how = "close and disconnect"
    if how == "return" and (who != "server" or is_core):
        how = "close"
    when = rng.choices(("sending", "sent", "all"), (2, 2, 3))[0]
    if how == "return" and when == "sending":
        when = "sent"
    return ConnectionPlan(client, server, Ending(who, how, when))


def _side(rng: random.Random) -> SidePlan:
    def sometimes(share: float, *values: float) -> float:
        return rng.choice(values) if rng.random() < share else 0.0

    largest = rng.choice((100, 3_000, 3_000, 70_000, 300_000, 900_000))
    # The fewer the larger: some 3 MB at most in each direction.
    count = int(min(3_000_000 / largest, rng.choice((0, 1, 10, 60, 60, 300))))
    return SidePlan(
        seed=rng.getrandbits(48),
        count=count,
        largest=largest,
        text=rng.choice((0.0, 0.5, 1.0)),
        fragments=sometimes(0.4, 0.1, 0.5, 1.0),
        pings=sometimes(0.4, 0.02, 0.2),
        pauses=sometimes(0.6, 0.05, 0.5),
        pause=rng.choice((0.0, 0.001, 0.02)),
        cancels_recv=sometimes(0.5, 0.1, 0.7),
        cancels_send=sometimes(0.2, 0.1, 0.3),
        slow=sometimes(0.25, 0.1, 0.5),
    )


def request_path(name: str, seed: int, client_api: str) -> str:
    """Return the path of a connection's request, which says all that the server has to know."""
    return f"/{name}/{seed}/{client_api}"


def seed_of(path: str) -> tuple[str, int, str]:
    """Return name, seed and the client's API from the path of a request."""
    _, name, seed, client_api = path.split("/")
    return name, int(seed), client_api
