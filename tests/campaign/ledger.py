"""Who sent what, who got what, and what is a fault: pure logic, without sockets and clocks.

`Received` looks at each message of one direction as it comes. `judge` compares what the two sides
of a connection have recorded. The rules are those of `docs/development/test.md`.
"""

from dataclasses import dataclass, field
from enum import Enum

from tests.campaign.message import Message

__all__ = ["Fault", "Kind", "Received", "Side", "Tally", "judge"]


class Kind(Enum):
    """Kinds of faults; the first four are of messages."""

    LOST = "lost"
    DOUBLED = "doubled"
    CHANGED = "changed"
    REORDERED = "reordered"
    UNCLEAN = "unclean"  # an orderly end that was none
    HANG = "hang"  # something that did not end in time
    ERROR = "error"  # an exception that nobody may see, a process that died, a log record
    GROWTH = "growth"  # memory or descriptors that a server keeps


@dataclass(frozen=True)
class Fault:
    """Something that must not happen."""

    kind: Kind
    text: str
    count: int = 1


class Received:
    """What came in one direction of a connection, message by message.

    Args:
        connection: the name that each message must bear.
    """

    def __init__(self, connection: str) -> None:
        self.count = 0
        self.gaps: list[int] = []
        self._connection = connection
        self._next = 0

    def take(self, message: Message) -> Fault | None:
        """Count a message, and return what is wrong with it."""
        if message.connection != self._connection:
            return Fault(Kind.CHANGED, f"{message} is not of {self._connection}")
        number = message.number
        if number in self.gaps:
            self.gaps.remove(number)
            self.count += 1
            return Fault(Kind.REORDERED, f"{number} came after {self._next - 1}")
        if number < self._next:
            return Fault(Kind.DOUBLED, f"{number} came again after {self._next - 1}")
        self.gaps.extend(range(self._next, number))
        self._next = number + 1
        self.count += 1
        return None

    @property
    def end(self) -> int:
        """One more than the highest number that came."""
        return self._next


@dataclass
class Side:
    """What one side of a connection has recorded.

    Attributes:
        begun: how many messages it began to send; the numbers below this.
        handed: one more than the number of the last message whose sending succeeded.
        uncertain: numbers of messages whose sending was cancelled or failed: they may have arrived.
        received: one more than the highest number it received.
        gaps: numbers below `received` that never came.
        acknowledged: how many of its messages the other side said to have.
        close_sent: the code of the CLOSE it sent; None for none.
        close_received: the code of the CLOSE it received; None for none.
        drained: whether it went on receiving until it was told that the connection is closed.
        finished: whether it recorded its end; a killed one does not.
    """

    begun: int = 0
    handed: int = 0
    uncertain: list[int] = field(default_factory=list)
    received: int = 0
    gaps: list[int] = field(default_factory=list)
    acknowledged: int = 0
    close_sent: int | None = None
    close_received: int | None = None
    drained: bool = False
    finished: bool = False


@dataclass
class Tally:
    """Figures of a campaign."""

    connections: int = 0
    sent: int = 0
    received: int = 0
    acknowledged: int = 0
    clean: int = 0  # connections with a whole closing handshake


def judge(
    name: str, client: Side, server: Side, how: str, who: str, *, breaks: bool
) -> list[Fault]:
    """Return what is wrong with a connection, given both sides' records.

    Args:
        name: of the connection, for the texts.
        client: what the client recorded.
        server: what the server recorded.
        how: how it was ended, see `plan.Ending`.
        who: who ended it.
        breaks: whether anything was done that breaks connections.
    """
    sides = {"client": client, "server": server}
    faults = []
    for origin, target in (("client", "server"), ("server", "client")):
        sender, receiver = sides[origin], sides[target]
        faults += _of_direction(f"{name} from {origin} to {target}", sender, receiver)
        if breaks or not (sender.finished and receiver.finished) or _cut_short(receiver):
            continue
        ends = who in (origin, "both")
        if ends and receiver.drained and receiver.received < sender.handed:
            # Without a CLOSE there is nothing else that says how much must have come.
            faults.append(_lost(f"{name} from {origin} to {target}", sender, receiver))
        if ends and how != "disconnect" and receiver.close_received is None:
            text = f"{name}: the {target} got no CLOSE from the {origin}; {client}, {server}"
            faults.append(Fault(Kind.UNCLEAN, text))
        if ends and how == "close" and sender.close_received is None and not _cut_short(sender):
            text = (
                f"{name}: the {origin} got no CLOSE in answer from the {target}; {client}, {server}"
            )
            faults.append(Fault(Kind.UNCLEAN, text))
    return [fault for fault in dict.fromkeys(faults) if fault.count]


def _of_direction(name: str, sender: Side, receiver: Side) -> list[Fault]:
    """Judge what holds however the connection ended."""
    faults = []
    missing = [number for number in receiver.gaps if number not in sender.uncertain]
    if missing and sender.finished:  # else nobody knows which were uncertain
        text = f"{name}: {_some(missing)} of {receiver.received} are missing"
        faults.append(Fault(Kind.LOST, text, len(missing)))
    if receiver.received > sender.begun:
        text = f"{name}: {receiver.received} came, only {sender.begun} were sent"
        faults.append(Fault(Kind.DOUBLED, text, receiver.received - sender.begun))
    if sender.acknowledged > receiver.received:
        text = f"{name}: {sender.acknowledged} acknowledged, {receiver.received} received"
        faults.append(Fault(Kind.LOST, text, sender.acknowledged - receiver.received))
    if (
        receiver.close_received is not None
        and sender.close_sent is not None
        and receiver.drained
        and receiver.received < sender.handed
    ):
        faults.append(_lost(name, sender, receiver))
    return faults


def _cut_short(sender: Side) -> bool:
    """Tell whether the connection was closed between the fragments of a message.

    websockets then fails the connection, with 1011: it neither waits for an answer nor takes what
    has not been received yet.
    """
    return sender.close_sent == 1011 and sender.begun - 1 in sender.uncertain


def _lost(name: str, sender: Side, receiver: Side) -> Fault:
    numbers = range(receiver.received, sender.handed)
    missing = [number for number in numbers if number not in sender.uncertain]
    text = f"{name}: {receiver.received} of {sender.handed} messages arrived"
    return Fault(Kind.LOST, text, len(missing))


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{shown} and {len(numbers) - 5} more" if len(numbers) > 5 else shown
