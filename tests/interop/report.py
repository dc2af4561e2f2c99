"""What the demonstration shows: progress while it runs, then a table, then what went wrong.

On a terminal the progress is a bar; elsewhere it is one line for each pair. This only shows:
what is right was decided before.
"""

import contextlib
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.interop.matrix import Pair, Result

# Where the distribution has another name than the package.
DISTRIBUTIONS = {"wscore": "wscore-asyncio"}

_LOG_LINES = 20


class Report:
    """Collects results and shows them on standard output.

    Args:
        pairs: all that will be run, once on every loop.
        loops: the names of the event loops.
    """

    def __init__(self, pairs: Sequence[Pair], loops: Sequence[str]) -> None:
        self.right = True
        self._pairs = pairs
        self._loops = loops
        self._results: dict[tuple[str, Pair], Result] = {}
        self._logs: dict[str, str] = {}
        self._console = Console(highlight=False)
        self._bar: Progress | None = None

    def introduce(self, peers: Iterable[str]) -> None:
        """Say what will run, with versions."""
        known = [f"{peer} {_version(peer)}".strip() for peer in sorted(peers)]
        self._console.print(f"Python {platform.python_version()}: {', '.join(known)}")
        self._console.print(f"{len(self._pairs)} pairs on {' and '.join(self._loops)}")

    @contextlib.contextmanager
    def progress(self) -> Iterator[None]:
        """Show the progress as long as the block runs."""
        if not (self._console.is_interactive and sys.stdout.isatty()):
            yield
            return
        columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(
            *columns, TextColumn("{task.description}"), console=self._console, transient=True
        ) as self._bar:
            self._bar.add_task("starting", total=len(self._pairs) * len(self._loops))
            yield
        self._bar = None

    def add(self, loop: str, result: Result) -> None:
        """Take the result of one pair."""
        self._results[loop, result.pair] = result
        self.right = self.right and result.error is None
        name = f"{result.pair}, {loop}"
        line = f"{name}: {_outcome(result)}"
        if self._bar is None:
            self._console.print(line, markup=False, soft_wrap=True)
            return
        self._bar.update(self._bar.task_ids[0], advance=1, description=escape(name))
        if result.error:
            self._bar.console.print(line, style="red", markup=False, soft_wrap=True)

    def read_logs(self, folder: Path) -> None:
        """Keep the ends of the servers' logs, for the case that something went wrong."""
        for file in sorted(folder.glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()
            if lines:
                self._logs[file.stem] = "\n".join(lines[-_LOG_LINES:])

    def conclude(self, seconds: float) -> None:
        """Show the table, what went wrong, and one line about the whole.

        Args:
            seconds: how long it all took.
        """
        self._console.print(self._table())
        failed = [(loop, result) for (loop, _), result in self._results.items() if result.error]
        for loop, result in failed:
            self._console.print(f"{result.pair}, {loop}:", style="red", markup=False)
            self._console.print(f"    {result.error}", markup=False, soft_wrap=True)
        if failed:
            for name, text in self._logs.items():
                self._console.print(f"log of {name}:\n{text}", markup=False, soft_wrap=True)
        messages = sum(result.tally.messages for result in self._results.values())
        whole = f"{len(failed)} of {len(self._results)} FAILED" if failed else "all right"
        self._console.print(
            f"{len(self._results)} conversations, {messages:,} replies checked, {whole},"
            f" {seconds:.1f} s",
            style="bold red" if failed else "bold green",
        )

    def _table(self) -> Table:
        table = Table(caption="the columns of the loops give round trips per second")
        for title in ("client", "server", "transport"):
            table.add_column(title, overflow="fold")
        table.add_column("messages", justify="right")
        for loop in self._loops:
            table.add_column(loop, justify="right")
        table.add_column("ok")
        for pair in sorted(self._pairs, key=self._order):
            results = [self._results[loop, pair] for loop in self._loops]
            messages = sum(result.tally.messages for result in results)
            rates = (f"{result.tally.rate:,.0f}" for result in results)
            ok = all(result.error is None for result in results)
            table.add_row(
                *(escape(pair.client), escape(pair.server), pair.transport.value),
                *(f"{messages:,}", *rates, "[green]ok[/]" if ok else "[bold red]FAILED[/]"),
            )
        return table

    def _order(self, pair: Pair) -> tuple[int, int]:
        """Return a key that puts the clients together, and keeps the given order otherwise."""
        clients = [other.client for other in self._pairs]
        return clients.index(pair.client), self._pairs.index(pair)


def _outcome(result: Result) -> str:
    if result.error:
        return f"FAILED, {result.error}"
    return f"{result.tally.messages:,} replies right, {result.tally.rate:,.0f} round trips/s"


def _version(peer: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(peer, peer))
    except (PackageNotFoundError, ValueError):
        return ""
