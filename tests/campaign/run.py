"""Runs a campaign: servers for all of its time, rounds of clients and faults, and the figures.

A round is drawn from its seed alone, so that it can be repeated alone.
"""

import contextlib
import json
import random
import re
import signal
import socket
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from tests.campaign import link as links
from tests.campaign.attackers import ATTACKS
from tests.campaign.dialogue import LIMIT
from tests.campaign.ledger import Fault, Kind, Side, Tally, judge
from tests.campaign.peers import FAMILIES
from tests.campaign.plan import BREAKING, connection_plan
from tests.campaign.processes import Process
from tests.campaign.records import Reading
from tests.interop.loops import LOOPS

__all__ = ["Campaign", "Settings"]

HOST = "127.0.0.1"
MIB = 1 << 20

# What happens in a round beside its conversations, and how often.
ROUNDS = {
    "calm": 4,
    "kill": 3,
    "stop": 3,
    "link": 3,
    "half-open": 2,
    "mortal": 2,
    "silence": 0.1,  # of a link, until both sides have given the other up
}
# A process may need this long to start on a machine that has other work.
START_LIMIT = 60.0
# A round takes no longer: a client that runs on is a fault.
ROUND_LIMIT = LIMIT + START_LIMIT
# After the last round: half-open connections are given up within this time.
SETTLE_LIMIT = 120.0
# A server that is to see a connection at all sees it so soon after its client has ended.
UNSEEN_LIMIT = 15.0
# What no attack may have a server take.
MOST_MEMORY = 256 * MIB


@dataclass
class Settings:
    """What a campaign is to do.

    Attributes:
        seconds: for how long to begin new rounds.
        seed: for the seeds of the rounds.
        family: whose APIs; see `peers.FAMILIES`.
        rounds: seeds of the only rounds to do, instead of any for `seconds`.
        growth: bytes that a server may have more at the end than after the first rounds; None if
            that is not judged.
        connections: of each client process.
    """

    seconds: float
    seed: int
    family: str = "ours"
    rounds: list[int] = field(default_factory=list)
    growth: int | None = 64 * MIB
    connections: int = 10


@dataclass
class Server:
    """A server process.

    Attributes:
        api: what it serves.
        name: says which it is.
        ports: of `plain`, `tls` on loopback, and `link plain`, `link tls` at the end of a link.
        reading: what it has recorded.
        before: memory and descriptors after the first rounds.
    """

    api: str
    name: str
    process: Process
    ports: dict[str, int]
    reading: Reading
    before: tuple[int, int] = (0, 0)
    most: int = 0


@dataclass
class Conversation:
    """A connection that a round has begun, until it is judged."""

    name: str
    round: int
    seed: int
    client_api: str
    server: Server
    client: Reading
    process: Process
    breaks: bool = False  # whether something happened that breaks connections
    may_fail: bool = False  # whether there may be no connection at all
    over: float | None = None  # since when the client's process has ended


class Campaign:
    """One campaign.

    Args:
        settings: what to do.
        say: is called with each line of the report.
    """

    def __init__(self, settings: Settings, say: Any = print) -> None:
        self.settings = settings
        self.tally = Tally()
        self.faults: list[Fault] = []
        self.counts: Counter[str] = Counter()
        self._say = say
        self._stack = contextlib.ExitStack()
        self._servers: list[Server] = []
        self._pending: list[Conversation] = []
        self._link: links.Link | None = None
        self._polite: Process | None = None
        self._number = 0

    # -- all of it

    def run(self) -> bool:
        """Run it, and return whether there was no fault."""
        settings = self.settings
        self._say(f"campaign of {settings.family}, seed {settings.seed}")
        with self._stack:
            self._prepare()
            began = time.monotonic()
            for number, seed in enumerate(self._seeds()):
                if not settings.rounds and time.monotonic() - began > settings.seconds:
                    break
                self._round(seed)
                if number < 3 or settings.rounds:
                    self._measure_before()
                if self._is_too_much():
                    break
            self._settle()
            self._end_polite()
            self._end_servers()
        self._report(time.monotonic() - began)
        return not self.faults

    def _seeds(self) -> Iterator[int]:
        if self.settings.rounds:
            yield from self.settings.rounds
            return
        rng = random.Random(self.settings.seed)
        while True:
            yield rng.getrandbits(40)

    def _prepare(self) -> None:
        place = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-"))
        self._place = Path(place)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", HOST, links.SERVER_ADDRESS)
        self._authority = self._place / "authority.pem"
        self._certificate = self._place / "certificate.pem"
        authority.cert_pem.write_to_path(str(self._authority))
        certificate.private_key_and_cert_chain_pem.write_to_path(str(self._certificate))
        apis = [(api, loop) for api in FAMILIES[self.settings.family] for loop in LOOPS]
        self._make_link(2 * len(apis))
        at_link = iter(self._link.listening if self._link else [])
        for api, loop in apis:
            pair = [next(at_link), next(at_link)] if self._link else []
            self._servers.append(self._start_server(api, loop, pair))
        self._wait_until_ready(self._servers)
        polite = [
            {"api": self._polite_api(), "server": server.name, "url": url_of(server, kind)}
            for server in self._servers
            for kind in ("plain", "tls")
        ]
        self._polite_stem = self._place / "polite"
        self._polite = self._client(self._polite_stem, "asyncio", polite, "--polite")
        if self._polite.line() != "ready":  # its connections belong to what is measured before
            raise RuntimeError(f"no polite peer: {self._polite.log.read_text()}")

    def _polite_api(self) -> str:
        family = self.settings.family
        return {"ours": "wscompat.asyncio"}.get(family, FAMILIES[family][0])

    def _make_link(self, listen: int) -> None:
        reason = links.available()
        if not reason:
            try:
                self._link = links.Link(self.settings.seed, listen)
                self._stack.callback(self._link.close)
                return
            except OSError as exc:
                reason = str(exc)
        self._say(f"no link that loses packets: {reason}")

    # -- processes

    def _start_server(self, api: str, loop: str, at_link: list[socket.socket]) -> Server:
        self._number += 1
        name = f"{api} on {loop}"
        stem = self._place / f"server-{self._number}"
        sockets = [socket.create_server((HOST, 0), backlog=500) for _ in range(2)] + at_link
        plain, encrypted = sockets[::2], sockets[1::2]
        arguments = [
            *("--api", api, "--loop", loop, "--records", stem),
            *("--certificate", self._certificate),
            *("--plain", *(each.fileno() for each in plain)),
            *("--encrypted", *(each.fileno() for each in encrypted)),
        ]
        numbers = [each.fileno() for each in sockets]
        process = Process("server", arguments, stem.with_suffix(".log"), descriptors=numbers)
        self._stack.callback(process.kill)
        kinds = ("plain", "tls", "link plain", "link tls")
        ports = {kind: each.getsockname()[1] for kind, each in zip(kinds, sockets, strict=False)}
        for each in sockets[:2]:
            each.close()
        return Server(api, name, process, ports, Reading(stem))

    @staticmethod
    def _wait_until_ready(servers: list[Server]) -> None:
        for server in servers:
            if server.process.line() != "ready":
                raise RuntimeError(f"{server.name} did not start: {server.process.log.read_text()}")

    def _client(self, stem: Path, loop: str, jobs: list[Any], *options: object) -> Process:
        arguments = ["--loop", loop, "--records", stem, "--authority", self._authority, *options]
        descriptors = [self._link.client_namespace] if self._link else []
        process = Process(
            "client",
            arguments,
            stem.with_suffix(".log"),
            descriptors=descriptors,
            given=json.dumps(jobs),
        )
        self._stack.callback(process.kill)
        return process

    # -- one round

    def _round(self, seed: int) -> None:
        rng = random.Random(f"{seed} round")
        kinds = dict(ROUNDS)
        if self._link is None:
            for kind in ("link", "half-open", "silence"):
                del kinds[kind]
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        self.counts[kind] += 1
        at_link = kind in ("link", "half-open", "silence")
        servers = self._servers
        mortal: list[Server] = []
        if kind == "mortal":
            api = rng.choice(FAMILIES[self.settings.family])
            mortal = [self._start_server(api, rng.choice(list(LOOPS)), [])]
            self._wait_until_ready(mortal)
            servers = mortal
        began = time.monotonic()
        deadline = began + ROUND_LIMIT
        faults = len(self.faults)
        clients = [
            self._start_client(
                rng, seed, number, servers, at_link, bool(mortal) or kind == "silence"
            )
            for number in range(rng.choice((1, 2, 2)))
        ]
        attackers = self._start_attackers(rng) if rng.random() < 0.5 else None
        self._disturb(rng, kind, clients, mortal)
        self._wait(seed, clients, attackers, deadline)
        if self._link:
            self._link.set(0.0)
        for server in mortal:
            server.process.kill()
        conversations = [each for _, own in clients for each in own]
        for each in conversations:
            each.breaks |= each.process.killed or bool(mortal) or kind == "silence"
            each.may_fail |= each.breaks
        self._pending += conversations
        self._judge(patient=True)
        for server in mortal:
            self._complain(server.name, server.process, seed)
        names = "+".join(sorted({each.client_api for each in conversations}))
        verdict = "" if len(self.faults) == faults else f", {len(self.faults) - faults} FAULTS"
        self._say(
            f"round {seed} {kind:9} {len(conversations)} connections of {names}"
            f"{', attacked' if attackers else ''}, {time.monotonic() - began:.1f} s{verdict}"
        )

    def _start_client(
        self,
        rng: random.Random,
        seed: int,
        number: int,
        servers: list[Server],
        at_link: bool,
        may_fail: bool,
    ) -> tuple[Process, list[Conversation]]:
        self._number += 1
        stem = self._place / f"client-{self._number}"
        reading = Reading(stem)
        jobs, drawn = [], []
        for index in range(self.settings.connections):
            server = rng.choice(servers)
            api = rng.choice(FAMILIES[self.settings.family])
            kind = ("link " if at_link else "") + rng.choice(("plain", "tls"))
            # The number of the process: a round may be repeated in one campaign.
            name = f"{seed}.{self._number}.{index}"
            job = {
                "name": name,
                "seed": rng.getrandbits(48),
                "api": api,
                "server_api": server.api,
                "url": url_of(server, kind),
                "compression": rng.random() < 0.5,
                "delay": rng.choice((0.0, 0.0, rng.random())),
            }
            jobs.append(job)
            drawn.append((name, job["seed"], api, server))
        options: list[object] = ["--may-fail"] if may_fail else []
        if at_link:
            assert self._link is not None
            options += ["--namespace", self._link.client_namespace]
        process = self._client(stem, rng.choice(list(LOOPS)), jobs, *options)
        return process, [
            Conversation(name, seed, own, api, server, reading, process)
            for name, own, api, server in drawn
        ]

    def _start_attackers(self, rng: random.Random) -> Process:
        jobs = []
        for _ in range(rng.randrange(1, 6)):
            server = rng.choice(self._servers)
            is_tls = rng.random() < 0.3
            jobs.append(
                {
                    "attack": rng.choice(list(ATTACKS)),
                    "seed": rng.getrandbits(32),
                    "port": server.ports["tls" if is_tls else "plain"],
                    "tls": is_tls,
                    "delay": rng.random(),
                    "seconds": rng.choice((1.0, 3.0)),
                }
            )
        self._number += 1
        log = self._place / f"attackers-{self._number}.log"
        arguments = ["--authority", self._authority]
        process = Process("attackers", arguments, log, given=json.dumps(jobs))
        self._stack.callback(process.kill)
        return process

    @staticmethod
    def _wait_until_talking(firsts: list[Conversation]) -> None:
        """Wait until a client has got a message, or a dialogue has ended without any."""
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit and any(each.process.runs() for each in firsts):
            for each in firsts:
                each.client.update()
                sides = each.client.sides.values()
                if any(side.received or side.finished for side in sides):
                    return
            time.sleep(0.02)

    def _disturb(
        self,
        rng: random.Random,
        kind: str,
        started: list[tuple[Process, list[Conversation]]],
        mortal: list[Server],
    ) -> None:
        """Do to the round what its kind says; sleeping is what the time of a fault is made of."""
        clients = [process for process, _ in started]
        if rng.random() < 0.5:
            self._wait_until_talking([own[0] for _, own in started])
        else:
            time.sleep(0.3 + rng.random())  # before they connect, most often
        victim = rng.choice(clients)
        if kind == "kill":
            victim.kill()
        elif kind == "mortal":
            mortal[0].process.kill()
        elif kind == "stop":
            for _ in range(rng.randrange(1, 4)):
                victim.signal(signal.SIGSTOP)
                time.sleep(rng.choice((0.01, 0.3, 2.0)))
                victim.signal(signal.SIGCONT)
                time.sleep(rng.random() * 0.3)
        elif self._link and kind == "link":
            for _ in range(rng.randrange(1, 5)):
                self._link.set(rng.choice((0.0, 0.01, 0.05, 0.2, 1.0)))
                time.sleep(rng.random())
            self._link.set(rng.choice((0.0, 0.02)))
        elif self._link and kind == "half-open":
            self._link.set(1.0)
            for client in clients:
                client.kill()
            time.sleep(rng.choice((0.0, 1.0)))
        elif self._link and kind == "silence":
            self._link.set(1.0)  # until the round is over

    def _wait(
        self,
        seed: int,
        clients: list[tuple[Process, list[Conversation]]],
        attackers: Process | None,
        deadline: float,
    ) -> None:
        for process, _ in clients:
            if process.killed:
                continue
            status = process.wait(max(0.0, deadline - time.monotonic()))
            if status is None:
                process.signal(signal.SIGUSR2)  # have it print what it waits for
                time.sleep(1.0)
                process.kill()
                text = f"round {seed}: a client does not end: {process.log.read_text()[-4000:]}"
                self._fault(Fault(Kind.HANG, text))
            elif status != 0:
                text = f"round {seed}: a client ended with {status}: {process.log.read_text()}"
                self._fault(Fault(Kind.ERROR, text))
            else:
                self._complain("a client", process, seed)
        if attackers is not None and attackers.wait(START_LIMIT) is None:
            attackers.kill()

    # -- verdicts

    def _judge(self, *, patient: bool) -> None:
        """Judge all connections that have ended at both ends; if not patient, all."""
        for reading in {id(each.client): each.client for each in self._pending}.values():
            reading.update()
            for fault in reading.faults:
                self._fault(fault)
            reading.faults.clear()
        for server in {id(each.server): each.server for each in self._pending}.values():
            server.reading.update()
            for fault in server.reading.faults:
                if not (server.process.killed):
                    self._fault(fault)
            server.reading.faults.clear()
        left = []
        for each in self._pending:
            client = each.client.sides.get((each.name, "client"))
            server_side = each.server.reading.sides.get((each.name, "server"))
            if patient and not self._has_ended(each, client, server_side):
                left.append(each)
            else:
                self._judge_one(each, client, server_side)
                each.server.reading.sides.pop((each.name, "server"), None)
        self._pending = left

    @staticmethod
    def _has_ended(each: Conversation, client: Side | None, server: Side | None) -> bool:
        """Tell whether a connection has ended at both ends, or never will be there."""
        now = time.monotonic()
        if each.over is None and not each.process.runs():
            each.over = now
        if each.over is None and not (client and client.finished):
            return False
        if (server is not None and server.finished) or each.server.process.killed:
            return True
        return server is None and each.over is not None and now - each.over > UNSEEN_LIMIT

    def _judge_one(self, each: Conversation, client: Side | None, server: Side | None) -> None:
        plan = connection_plan(each.seed, each.client_api, each.server.api)
        ending = plan.ending
        told = (
            f"round {each.round}, {each.client_api} with {each.server.name}, {ending.who} ends by "
            f"{ending.how!r} when {ending.when!r}, connection {each.name}"
        )
        self.tally.connections += 1
        if client is None or server is None:
            if not each.may_fail:
                self._fault(Fault(Kind.ERROR, f"{told}: there was no connection"))
            return
        if not server.finished and not each.server.process.killed:
            self._fault(Fault(Kind.HANG, f"{told}: the server's side does not end: {server}"))
        breaks = each.breaks or ending.how in BREAKING
        for fault in judge(told, client, server, ending.how, ending.who, breaks=breaks):
            self._fault(fault)
        self.tally.sent += client.begun + server.begun
        self.tally.received += client.received + server.received
        self.tally.acknowledged += client.acknowledged + server.acknowledged
        self.tally.clean += client.close_received is not None and server.close_received is not None

    def _fault(self, fault: Fault) -> None:
        self.faults.append(fault)
        self._say(f"FAULT {fault.kind.value} ({fault.count}): {fault.text}")

    def _complain(self, name: str, process: Process, seed: int) -> None:
        if complaints := process.complaints():
            self._fault(Fault(Kind.ERROR, f"round {seed}: {name} says:\n{complaints}"))

    # -- the servers over time

    def _measure_before(self) -> None:
        for server in self._servers:
            server.before = self._measure(server)

    @staticmethod
    def _measure(server: Server) -> tuple[int, int]:
        """Return memory and descriptors, once what is free is given back."""
        server.process.signal(signal.SIGUSR1)
        server.process.line()
        return server.process.memory(), server.process.descriptors()

    def _is_too_much(self) -> bool:
        """Tell whether a server has ended, or has grown beyond all bounds."""
        for server in self._servers:
            if not server.process.runs():
                status = server.process.wait(0)
                text = f"{server.name} died with {status}: {server.process.log.read_text()[-4000:]}"
                self._fault(Fault(Kind.ERROR, text))
                return True
            server.most = server.process.most_memory()
            if self.settings.growth is not None and server.most > MOST_MEMORY:
                self._fault(Fault(Kind.GROWTH, f"{server.name} has {server.most // MIB} MiB"))
                return True
        return False

    def _settle(self) -> None:
        """Wait until all connections are gone, but for those of the polite peer."""
        deadline = time.monotonic() + SETTLE_LIMIT
        while self._pending and time.monotonic() < deadline:
            time.sleep(0.5)
            self._judge(patient=True)
        self._judge(patient=False)
        for server in self._servers:
            if not server.process.runs():
                continue
            # Attackers may have connections that are given up late.
            while server.process.descriptors() > server.before[1] and time.monotonic() < deadline:
                time.sleep(0.5)
            self._compare(server, self._measure(server))

    def _compare(self, server: Server, after: tuple[int, int]) -> None:
        (memory, descriptors), growth = server.before, self.settings.growth
        self._say(
            f"{server.name:28} memory {memory / MIB:6.1f} -> {after[0] / MIB:6.1f} MiB, at most "
            f"{server.most / MIB:6.1f}; descriptors {descriptors} -> {after[1]}"
        )
        if growth is not None and after[0] - memory > growth:
            text = f"{server.name} has {(after[0] - memory) / MIB:.0f} MiB more at the end"
            self._fault(Fault(Kind.GROWTH, text))
        # An earlier measurement may have counted connections that were on their way out.
        if after[1] > descriptors:
            text = f"{server.name} has {after[1] - descriptors} descriptors more at the end"
            self._fault(Fault(Kind.GROWTH, text))

    def _end_polite(self) -> None:
        assert self._polite is not None
        self._polite.signal(signal.SIGTERM)
        if self._polite.wait(START_LIMIT) != 0:
            self._fault(Fault(Kind.HANG, f"the polite peer: {self._polite.log.read_text()}"))
        self._complain("the polite peer", self._polite, 0)
        reading = Reading(self._polite_stem)
        reading.update()
        for fault in reading.faults:
            self._fault(fault)
        waits = sorted(wait for line in reading.others for wait in line["waits"])
        if len(waits) > 1:
            worst = max(reading.others, key=lambda line: max(line["waits"], default=0))
            median, last = statistics.median(waits), waits[len(waits) * 99 // 100]
            self._say(
                f"polite peers: {len(waits)} echoes, median {median * 1e3:.1f} ms, 99th percentile "
                f"{last * 1e3:.1f} ms, worst {waits[-1] * 1e3:.0f} ms ({worst['server']})"
            )

    def _end_servers(self) -> None:
        for server in self._servers:
            server.process.signal(signal.SIGTERM)
        for server in self._servers:
            status = server.process.wait(SETTLE_LIMIT)
            if status != 0:
                text = (
                    f"{server.name} ended with {status}: {server.process.log.read_text()[-4000:]}"
                )
                self._fault(Fault(Kind.HANG if status is None else Kind.ERROR, text))
            self._complain(server.name, server.process, 0)

    def _report(self, seconds: float) -> None:
        tally, settings = self.tally, self.settings
        kinds = Counter[Kind]()
        for fault in self.faults:
            kinds[fault.kind] += fault.count
        rounds = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        self._say(
            f"{settings.family}: {seconds / 60:.1f} minutes, {self.counts.total()} rounds "
            f"({rounds}), {tally.connections} connections, {tally.clean} with a whole closing "
            f"handshake; messages: {tally.sent} sent, {tally.received} received, "
            f"{tally.acknowledged} acknowledged, {kinds[Kind.LOST]} lost, {kinds[Kind.DOUBLED]} "
            f"doubled, {kinds[Kind.CHANGED]} changed, {kinds[Kind.REORDERED]} reordered; "
            f"{kinds[Kind.UNCLEAN]} unclean ends, {kinds[Kind.HANG]} hangs, {kinds[Kind.ERROR]} "
            f"errors, {kinds[Kind.GROWTH]} growths"
        )
        for seed in sorted(set(self._seeds_of_faults())):
            self._say(f"repeat it: nox -s field -- 0 --family {settings.family} --round {seed}")

    def _seeds_of_faults(self) -> Iterator[str]:
        """Give the seeds of rounds with faults: their texts begin with them, or with the name."""
        for fault in self.faults:
            if found := re.match(r"round ([1-9]\d*)|(\d+)\.\d+\.\d+,", fault.text):
                yield found[1] or found[2]


def url_of(server: Server, kind: str) -> str:
    """Return the URL of one of a server's sockets."""
    host = links.SERVER_ADDRESS if kind.startswith("link") else HOST
    return f"{'wss' if kind.endswith('tls') else 'ws'}://{host}:{server.ports[kind]}"
