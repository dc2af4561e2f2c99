"""Processes of the campaign: started so that they end with it, looked at, and ended.

It must never leave a process behind: children are killed by the system if this process dies.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Process"]

ROOT = Path(__file__).parents[2]
PAGE = os.sysconf("SC_PAGE_SIZE")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

# What a process of ours must never write.
_ALARMING = re.compile(
    r"Traceback|ERROR|Sanitizer|runtime error|Fatal Python|was never (awaited|retrieved)"
    r"|Exception ignored"
)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A Python module as a process.

    Args:
        module: below the package.
        arguments: for its command line.
        log: where its stderr goes.
        descriptors: which it inherits.
        given: for its stdin.
        package: of the module.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[object],
        log: Path,
        *,
        descriptors: Sequence[int] = (),
        given: str = "",
        package: str = "tests.campaign",
    ) -> None:
        self.log = log
        self.killed = False
        command = [sys.executable, "-m", f"{package}.{module}", *map(str, arguments)]
        with log.open("w") as stderr:
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
                pass_fds=descriptors,
                preexec_fn=_die_with_parent,
                text=True,
            )
        assert self.popen.stdin is not None
        self.popen.stdin.write(given)
        self.popen.stdin.close()

    def line(self) -> str:
        """Return the next line it prints."""
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().rstrip("\n")

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.killed = True
        self.popen.kill()
        self.popen.wait()
        assert self.popen.stdout is not None
        self.popen.stdout.close()

    def runs(self) -> bool:
        """Tell whether it has not ended."""
        return self.popen.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, and return its exit status; None if it has not ended in time."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def memory(self) -> int:
        """Return the bytes of memory it has resident."""
        return int(Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1]) * PAGE

    def most_memory(self) -> int:
        """Return the bytes that `memory` has been at most."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def descriptors(self) -> int:
        """Return how many descriptors it has open."""
        return sum(1 for _ in Path(f"/proc/{self.popen.pid}/fd").iterdir())

    def complaints(self) -> str:
        """Return what it wrote to stderr if that is alarming, cut to a readable size."""
        text = self.log.read_text(errors="replace")
        found = _ALARMING.search(text)
        if found is None:
            return ""
        start = max(0, found.start() - 200)
        return text[start : start + 4000]
