"""The programs as processes: start them, pin them to cores, control them, read their CPU time.

A process ends at the latest with the runner, which closes its standard input.
"""

import dataclasses
import os
import select
import subprocess
from pathlib import Path

__all__ = ["Cpu", "ProgramError", "Running"]

TICK = 1 / os.sysconf("SC_CLK_TCK")


class ProgramError(Exception):
    """A program ended, or did not answer in time."""


@dataclasses.dataclass(frozen=True)
class Cpu:
    """CPU time of a process, in seconds.

    The kernel counts the total in nanoseconds, but attributes it to user and system time by
    sampling at its ticks, so many ticks are needed for an exact share.
    """

    total: float
    user: float
    system: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.total - other.total, self.user - other.user, self.system - other.system)


class Running:
    """A running program.

    Args:
        command: the program with its role and options.
        root: the folder it runs in.
        core: the processor it is confined to.
        log: the file for its standard error.
    """

    def __init__(self, command: list[str], root: Path, core: int, log: Path):
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                ["taskset", "--cpu-list", str(core), *command],
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self.pid = self.process.pid

    def answer(self, timeout: float = 20) -> str:
        """Return the next line of its output."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            state = "ended" if self.process.poll() is not None else "does not answer"
            raise ProgramError(f"the program {state}; see {self.log}")
        return line.strip()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError as exc:
            raise ProgramError(f"the program ended; see {self.log}") from exc

    def cpu(self) -> Cpu:
        process = Path("/proc", str(self.pid))
        nanoseconds = 0
        for thread in (process / "task").iterdir():
            nanoseconds += int((thread / "schedstat").read_text().split()[0])
        # The name, in parentheses, may contain anything.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return Cpu(nanoseconds / 1e9, int(fields[11]) * TICK, int(fields[12]) * TICK)

    def memory(self) -> int:
        """Return its proportional share of memory, in bytes."""
        text = Path("/proc", str(self.pid), "smaps_rollup").read_text()
        line = next(line for line in text.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
