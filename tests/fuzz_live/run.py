"""Runs the live fuzzer: starts the targets, compares their verdicts, and reports.

What differs without a reason is sent once more, alone, before it is reported: on a busy machine a
verdict may come too late.
"""

import asyncio
import contextlib
import functools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.campaign.processes import Process
from tests.fuzz_live.drive import (
    PATIENCE,
    Answerer,
    ClientTarget,
    Judge,
    ServerTarget,
    Target,
    Verdicts,
    fuzz_clients,
    fuzz_servers,
)
from tests.fuzz_live.inputs import Input
from tests.fuzz_live.verdicts import Verdict, explain

__all__ = ["Fuzzing"]

MODEL = "websockets"
OURS = ("wscompat", "wscore")
APIS = (MODEL, *OURS)
MIB = 1 << 20
GROWTH = 48 * MIB  # of a server, from a tenth of the inputs to the end
AT_ONCE = 32  # connections of a process of clients
SHOWN = 40  # unexplained differences


class Fuzzing:
    """A run of the fuzzer.

    Args:
        seed: of the inputs.
        loop: of the targets; that of this process is always asyncio's.
    """

    def __init__(self, seed: int, loop: str) -> None:
        self.faults: list[str] = []
        self._seed = seed
        self._loop = loop
        self._explained: Counter[str] = Counter()
        self._agreed: Counter[str] = Counter()
        self._doubtful: list[tuple[Input, str]] = []
        self._classes: Counter[str] = Counter()

    async def run(self, first: int, count: int) -> bool:
        """Fuzz servers and clients with half of the inputs each, and say whether all was right."""
        print(f"live fuzzer, seed {self._seed}, on {self._loop}", flush=True)
        half = max(1, count // 2)
        with tempfile.TemporaryDirectory(prefix="fuzz-live-") as place:
            for name, work in (("servers", self._servers), ("clients", self._clients)):
                began = time.monotonic()
                await work(Path(place), first, first + half)
                seconds = time.monotonic() - began
                print(f"{name}: {half} inputs, {half / seconds:.0f} per second", flush=True)
        self._report(2 * half)
        return not self.faults

    # -- servers

    async def _servers(self, place: Path, first: int, end: int) -> None:
        with contextlib.ExitStack() as stack:
            targets = []
            for api in APIS:
                arguments = ["server", api, self._loop]
                log = place / f"server-{api}.log"
                process = Process("target", arguments, log, package="tests.fuzz_live")
                stack.callback(process.kill)
                targets.append(ServerTarget(api, process))
            for target in targets:
                target.port = int(target.process.line())
            readers = [asyncio.ensure_future(target.read_reports()) for target in targets]
            # The first inputs load what is loaded once.
            warm = min(end, first + max(1, (end - first) // 10))
            await fuzz_servers(targets, self._seed, first, warm, self._judge)
            before = [self._size(target) for target in targets]
            await fuzz_servers(targets, self._seed, warm, end, self._judge)
            await self._look_again(targets)
            await self._compare(targets, before)
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)
            self._end(targets)

    @staticmethod
    def _size(target: Target) -> tuple[int, int]:
        if not target.process.runs():
            return 0, 0
        return target.process.memory(), target.process.descriptors()

    async def _compare(self, targets: list[ServerTarget], before: list[tuple[int, int]]) -> None:
        for target, (memory, descriptors) in zip(targets, before, strict=True):
            if not target.process.runs():
                continue
            deadline = time.monotonic() + PATIENCE
            # There may have been up to `CONCURRENT` connections when it was looked at first.
            while self._size(target)[1] > descriptors and time.monotonic() < deadline:
                await asyncio.sleep(0.2)
            now = self._size(target)
            print(
                f"{target.api:12} memory {memory / MIB:.1f} -> {now[0] / MIB:.1f} MiB, "
                f"descriptors {descriptors} -> {now[1]}"
            )
            if now[0] - memory > GROWTH or now[1] > descriptors:
                self._fault(target.api, f"{target.api} has grown: {(memory, descriptors)} -> {now}")

    async def _look_again(self, targets: list[ServerTarget]) -> None:
        doubtful = {fuzzed.number: fuzzed for fuzzed, _ in self._doubtful[: 50 * SHOWN]}
        self._doubtful = []
        for fuzzed in doubtful.values():
            found = await asyncio.gather(*(target.verdict(fuzzed, 10.0) for target in targets))
            verdicts = dict(zip(APIS, found, strict=True))
            self._judge("server", fuzzed, verdicts, final=True)

    # -- clients

    async def _clients(self, place: Path, first: int, end: int) -> None:
        await self._connect(place, "clients", range(first, end), AT_ONCE, self._judge)
        again = sorted({fuzzed.number for fuzzed, _ in self._doubtful[: 50 * SHOWN]})
        self._doubtful = []
        if again:
            judge = functools.partial(self._judge, final=True)
            await self._connect(place, "again", again, 1, judge)

    async def _connect(
        self, place: Path, name: str, numbers: Sequence[int], at_once: int, judge: Judge
    ) -> None:
        """Let the clients of each API open connections, so many at once, and judge them."""
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            targets = []
            for api in APIS:
                server = await loop.create_server(
                    lambda: Answerer(self._seed), "127.0.0.1", 0, backlog=500
                )
                stack.callback(server.close)
                port = server.sockets[0].getsockname()[1]
                arguments = ["client", api, self._loop, port, at_once]
                log = place / f"{name}-{api}.log"
                given = json.dumps(list(numbers))
                process = Process("target", arguments, log, given=given, package="tests.fuzz_live")
                stack.callback(process.kill)
                targets.append(ClientTarget(api, process))
            readers = [asyncio.ensure_future(target.read_reports()) for target in targets]
            await fuzz_clients(targets, self._seed, numbers, judge)
            for target in targets:
                status = await asyncio.to_thread(target.process.wait, PATIENCE)
                if status != 0:
                    self._fault(target.api, f"clients of {target.api} ended with {status}")
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)
            self._end(targets)

    # -- verdicts

    def _judge(self, role: str, fuzzed: Input, found: Verdicts, *, final: bool = False) -> None:
        for api in OURS:
            theirs, ours = found[MODEL], found[api]
            if api == "wscore":
                theirs, ours = theirs.of_core(), ours.of_core()
            differences = theirs.differences(ours)
            if not differences:
                self._agreed[f"{role} {api}"] += 1
                continue
            rule = None if ours.hang else explain(role, api, fuzzed, theirs, ours)
            if rule is not None:
                self._explained[f"{role} {api}: {rule.name}"] += 1
                continue
            text = self._describe(role, api, differences, theirs, ours)
            if final:
                self._fault_of(fuzzed, text)
            else:
                self._doubtful.append((fuzzed, text))

    @staticmethod
    def _describe(
        role: str, api: str, differences: tuple[str, ...], theirs: Verdict, ours: Verdict
    ) -> str:
        told = ", ".join(
            f"{name} {getattr(theirs, name)!r} -> {getattr(ours, name)!r}"
            for name in differences
            if name != "checksum" or len(differences) == 1
        )
        return f"{role} {api}: {told}"

    def _fault_of(self, fuzzed: Input, text: str) -> None:
        kind = text.partition(", count")[0]
        self._classes[kind] += 1
        number = fuzzed.number
        self.faults.append(text)
        if self._classes[kind] <= 3 and len(self._classes) <= SHOWN:
            print(f"UNEXPLAINED {text}; input {number}: {'; '.join(fuzzed.changes)}", flush=True)

    def _fault(self, api: str, text: str) -> None:
        if api != MODEL:
            self.faults.append(text)
        print(f"{'FAULT' if api != MODEL else 'note'} {text}", flush=True)

    def _end(self, targets: list[ServerTarget] | list[ClientTarget]) -> None:
        """Look whether the processes are well, once the inputs are through."""
        for target in targets:
            if isinstance(target, ServerTarget) and not target.process.runs():
                self._fault(target.api, f"{target.api} died with {target.process.wait(0)}")
            if complaints := target.process.complaints():
                self._fault(target.api, f"{target.api} says:\n{complaints}")

    def _report(self, count: int) -> None:
        for name, number in sorted(self._agreed.items()):
            print(f"the same verdict as {MODEL}: {name}: {number}")
        for name, number in self._explained.most_common():
            print(f"explained: {name}: {number}")
        for name, number in self._classes.most_common():
            print(f"unexplained: {name}: {number}")
        print(
            f"{count} inputs, {sum(self._explained.values())} explained differences, "
            f"{len(self.faults)} unexplained ones and other faults; seed {self._seed}"
        )
        sys.stdout.flush()
