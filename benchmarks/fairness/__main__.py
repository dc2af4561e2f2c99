"""Measure every library in every situation, alternating, and write the results.

    python -m benchmarks.fairness [--quick] [--json FILE] [--charts FOLDER]

The server has its own processor. If there are only two, the clients share the other one; there the
flooding clients have the lowest priority, so that the polite client waits only for the server.
"""

import argparse
import dataclasses
import datetime
import json
import os
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..bench.contenders import CONTENDERS, Contender
from ..bench.measuring import usable_cores
from ..bench.processes import ProgramError, Running
from ..bench.report import machine
from .percentiles import Late, summarize, with_missed
from .polite import PERIOD as BETWEEN
from .server import PERIOD
from .situations import SITUATIONS, Situation

ROOT = Path(__file__).parents[2]
MEASURED = ("wscore", "wscompat", "picows", "websockets")
WARMING = 0.3  # seconds until the floods have reached their full rate
LOOPS = ("asyncio", "uvloop")


@dataclasses.dataclass
class Found:
    """The results of one library in one situation, over all rounds, in seconds."""

    latencies: list[float] = dataclasses.field(default_factory=list)
    lateness: list[float] = dataclasses.field(default_factory=list)
    messages: int = 0
    lost: int = 0


def visit(
    contender: Contender, loop: str, situation: Situation, seconds: float, log: Path, found: Found
) -> None:
    """Measure once."""
    core, other = usable_cores()
    running = []

    def start(module: str, *words: object, core: int = other) -> Running:
        command = [sys.executable, "-m", f"benchmarks.fairness.{module}", *map(str, words)]
        running.append(Running(command, ROOT, core, log))
        return running[-1]

    try:
        variant = json.dumps(contender.variant)
        words = ("--program", contender.program, "--variant", variant, "--loop", loop)
        server = start("server", *words, core=core)
        port = server.answer()
        polite = start("polite", port, seconds)
        polite.answer()
        if situation.connections:
            flood = start("flood", port, situation.connections, situation.size)
            flood.answer()
        time.sleep(WARMING)
        server.tell("begin")
        polite.tell("begin")
        measured = json.loads(polite.answer(seconds + 40))
        if situation.connections:
            flood.stop()
        server.answer(60)  # of "begin"; a server that is flooded may have read it much later
        server.tell("end")
        report = json.loads(server.answer(60))
        found.latencies += with_missed(measured["latencies"], BETWEEN)
        found.lost += measured["lost"]
        found.lateness += with_missed(report["lateness"], PERIOD)
        found.messages += report["messages"]
    finally:
        for program in running:
            program.stop()


def figures(found: Found) -> dict[str, Any]:
    """Return the results of one library for the file."""

    def late(seconds: list[float]) -> dict[str, float]:
        summary: Late = summarize(seconds)
        return {name: round(value, 3) for name, value in dataclasses.asdict(summary).items()}

    return {
        "echo": late(found.latencies),
        "timers": late(found.lateness),
        "messages": found.messages,
        "lost": found.lost,
    }


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="three minutes instead of half an hour"
    )
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--contender", default="*", help="a pattern of names")
    parser.add_argument("--situation", default="*", help="likewise")
    parser.add_argument("--json", type=Path, default=Path(".cache/fairness/results.json"))
    parser.add_argument("--charts", type=Path, help="a folder")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (2.0 if arguments.quick else 10.0)
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    contenders = [
        it for it in CONTENDERS if it.name in MEASURED and fnmatch(it.name, arguments.contender)
    ]
    found: dict[str, dict[str, Found]] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        for number in range(rounds):
            for situation in SITUATIONS:
                if not fnmatch(situation.name, arguments.situation):
                    continue
                places = found.setdefault(situation.name, {})
                for place in range(len(contenders)):
                    contender = contenders[(place + number) % len(contenders)]
                    for loop in LOOPS:
                        name = f"{contender.name} · {loop}"
                        one = places.setdefault(name, Found())
                        try:
                            visit(contender, loop, situation, seconds, log, one)
                        except ProgramError as exc:
                            sys.exit(f"{name}: {exc}\n{log.read_text()}")
                        print(situation.name, name, summarize(one.latencies), flush=True)
    versions: dict[str, str] = {}
    for contender in contenders:
        versions |= contender.versions(Path())
    document = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "cores_shared": len(os.sched_getaffinity(0)) < 3,
        "versions": versions,
        "how": {"seconds": seconds, "rounds": rounds},
        "situations": {
            name: {subject: figures(one) for subject, one in sorted(places.items())}
            for name, places in found.items()
        },
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if arguments.charts:
        from .charts import draw_all

        draw_all(document, arguments.charts)


if __name__ == "__main__":
    main()
