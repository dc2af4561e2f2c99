"""The rounds: each runs every subject once, in rotating order, and records the results.

Servers and clients stay alive from the first round to the last one; while one pair is measured, the
others wait for input and cost nothing.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .cases import Case
from .contenders import REFERENCE, Contender
from .processes import ProgramError, Running

__all__ = ["Series", "Subject", "Visit", "measure"]

WARM_UP = 0.05  # seconds, once for each subject


@dataclasses.dataclass(frozen=True)
class Subject:
    """The subject of one line of a table."""

    contender: Contender
    loop: str  # "asyncio" or "uvloop"; "" for a compiled program

    @property
    def name(self) -> str:
        return f"{self.contender.name} · {self.loop}" if self.loop else self.contender.name


@dataclasses.dataclass(frozen=True)
class Series:
    """One case with one measured endpoint, over plain TCP or TLS."""

    case: Case
    role: str
    tls: bool

    @property
    def name(self) -> str:
        return f"{self.case.name} · {self.role} · {'TLS' if self.tls else 'plain'}"


@dataclasses.dataclass(frozen=True)
class Visit:
    """The results of a subject in a round.

    Attributes:
        count: messages, or connections.
        seconds: by the clock of the client.
        cpu: seconds of CPU time of the subject; of both endpoints if it is both.
        peer_cpu: CPU time of the peer.
        user: the part of cpu that was spent outside the kernel, estimated from the ticks.
        memory: additional bytes for the connections, in the idle case.
    """

    subject: str
    round: int
    count: int
    seconds: float
    cpu: float
    peer_cpu: float
    user: float
    system: float
    memory: int


@dataclasses.dataclass(frozen=True)
class Place:
    """The environment of the measurement.

    Attributes:
        built: the folder with the compiled programs.
        root: the folder of the repository.
        certificate: the certificate for TLS.
        payload: the compressed message.
        cores: two processors, or one twice.
        log: the file for the standard error of programs.
    """

    built: Path
    root: Path
    certificate: Path
    payload: Path
    cores: tuple[int, int]
    log: Path


class Pair:
    """A server and a client, one of which is measured, or both."""

    def __init__(self, series: Series, subject: Subject, place: Place):
        self.series, self.subject = series, subject
        case = series.case
        server = subject if series.role in {"server", "both"} else Subject(REFERENCE, "")
        client = subject if series.role in {"client", "both"} else Subject(REFERENCE, "")
        server_task, client_task = case.tasks(series.role)
        words = [f"size={case.size}"]
        words += [f"tls={place.certificate}"] if series.tls else []
        words += ["deflate=1", f"payload={place.payload}"] if case.deflate else []
        # The measured endpoint and its peer have the same cores in every pair.
        subject_core, peer_core = place.cores[0], place.cores[0 if case.one_core else 1]
        server_core = peer_core if series.role == "client" else subject_core
        client_core = subject_core if series.role == "client" else peer_core
        self.server = self.start(
            "serve", server, [f"task={server_task}", *words], place, server_core
        )
        try:
            self.client = self.start(
                "load", client, [f"task={client_task}", *words], place, client_core
            )
            self.port = self.server.answer()
        except BaseException:
            self.stop()
            raise

    def start(
        self, role: str, subject: Subject, words: list[str], place: Place, core: int
    ) -> Running:
        loop = [f"loop={subject.loop}"] if subject.loop else []
        command = [*subject.contender.command(place.built), role, *words, *loop]
        return Running(command, place.root, core, place.log)

    def visit(self, number: int, seconds: float, connections: int) -> Visit:
        """Do one job."""
        case, role = self.series.case, self.series.role
        before_memory = self.server.memory() if case.is_idle else 0
        self.client.tell(
            f"port={self.port} connections={connections} in_flight={case.in_flight} "
            f"seconds={60 if case.is_idle else seconds}"
        )
        self.client.answer()
        server, client = self.server.cpu(), self.client.cpu()
        self.client.tell("go")
        count, nanoseconds = map(int, self.client.answer().split())
        server, client = self.server.cpu() - server, self.client.cpu() - client
        memory = self.server.memory() - before_memory if case.is_idle else 0
        self.client.tell("end")
        self.client.answer()
        cpu, peer = (client, server) if role == "client" else (server, client)
        if role == "both":
            cpu = dataclasses.replace(
                cpu,
                total=cpu.total + peer.total,
                user=cpu.user + peer.user,
                system=cpu.system + peer.system,
            )
        peer_cpu = 0.0 if role == "both" else peer.total
        return Visit(
            self.subject.name,
            number,
            count,
            nanoseconds / 1e9,
            cpu.total,
            peer_cpu,
            cpu.user,
            cpu.system,
            memory,
        )

    def stop(self) -> None:
        for running in (getattr(self, "client", None), getattr(self, "server", None)):
            if running:
                running.stop()


def takes_part(subject: Subject, series: Series) -> bool:
    contender = subject.contender
    if series.case.deflate and not contender.deflate:
        return False
    return not series.case.name.startswith(contender.skips or ("-",))


def measure(
    series: Series,
    subjects: list[Subject],
    place: Place,
    *,
    rounds: int,
    seconds: float,
    idle: int,
    progress: Callable[[str], None],
) -> Iterator[Visit | str]:
    """Measure one series.

    Args:
        series: the series.
        subjects: the subjects; those that do not support it are left out.
        place: the environment.
        rounds: number of rounds.
        seconds: duration of each visit.
        idle: number of connections in the idle case.
        progress: called with a description of the next step.

    Yields:
        A visit, or the reason why there is none.
    """
    pairs: list[Pair] = []
    connections = idle if series.case.is_idle else series.case.connections
    try:
        for subject in subjects:
            if not takes_part(subject, series):
                continue
            progress(f"{series.name}: starting {subject.name}")
            try:
                pair = Pair(series, subject, place)
                pairs.append(pair)
                if not series.case.is_idle:
                    pair.visit(-1, WARM_UP, connections)
            except ProgramError as exc:
                yield f"{series.name}: {subject.name}: {exc}"
                if pairs and pairs[-1].subject is subject:
                    pairs.pop().stop()
        for number in range(1 if series.case.is_idle else rounds):
            shift = number % max(1, len(pairs))
            for pair in pairs[shift:] + pairs[:shift]:
                progress(f"{series.name}: round {number + 1} of {rounds}: {pair.subject.name}")
                try:
                    yield pair.visit(number, seconds, connections)
                except ProgramError as exc:
                    yield f"{series.name}: {pair.subject.name}: {exc}"
                    pair.stop()
                    pairs.remove(pair)
    finally:
        for pair in pairs:
            pair.stop()


def usable_cores() -> tuple[int, int]:
    """Return the processor of the measured endpoint, and the one of its peer in a stream."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[-1], cores[0]
