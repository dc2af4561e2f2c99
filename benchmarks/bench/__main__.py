"""The command line of the benchmark.

It only selects cases and shows results: the rounds are in `measuring`.
"""

import argparse
import fnmatch
import sys
import tempfile
from pathlib import Path

import trustme
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .cases import CASES, QUICK, QUICK_TLS
from .charts import draw_all
from .contenders import BASELINE, CONTENDERS, REFERENCE, Contender
from .measuring import Place, Series, Subject, Visit, measure, usable_cores
from .payload import compressed_json
from .report import as_markdown, as_table, write_json
from .statistics import Figures, summarize

ROOT = Path(__file__).parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    many = {"action": "append", "metavar": "PATTERN"}
    parser.add_argument("--quick", action="store_true", help="some cases, within five minutes")
    parser.add_argument("--check", action="store_true", help="everything once, for a blink")
    parser.add_argument("--case", **many, help="cases by name, with wildcards; may be repeated")
    parser.add_argument("--contender", **many, help="libraries by name, likewise")
    parser.add_argument("--loop", choices=["asyncio", "uvloop", "both"], default="both")
    parser.add_argument("--tls", choices=["plain", "tls", "both"], default="both")
    parser.add_argument("--role", choices=["server", "client", "both"], action="append")
    parser.add_argument("--rounds", type=int, help="visits of each subject in each series")
    parser.add_argument("--seconds", type=float, help="of each visit")
    parser.add_argument("--idle", type=int, help="connections of the idle case")
    parser.add_argument("--by-cpu", action="store_true", help="ratios of CPU time")
    parser.add_argument(
        "--reference", type=Path, required=True, help="the C program; the others are beside it"
    )
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--charts", type=Path, help="where drawings of the results go")
    parser.add_argument("--markdown", type=Path, help="where the tables go")
    parser.add_argument("--list", action="store_true", help="show cases and contenders")
    chosen = parser.parse_args()
    rounds, seconds, idle = (1, 0.02, 100) if chosen.check else (9, 0.4, 5000)
    if chosen.quick:
        rounds, seconds, idle = 3, 0.15, 1000
    chosen.rounds = chosen.rounds or rounds
    chosen.seconds = chosen.seconds or seconds
    chosen.idle = chosen.idle or idle
    chosen.built = chosen.reference.resolve().parent
    return chosen


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def choose_series(chosen: argparse.Namespace) -> list[Series]:
    is_short = chosen.quick and not chosen.case
    secure = {"plain": [False], "tls": [True], "both": [False, True]}[chosen.tls]
    return [
        Series(case, role, tls)
        for case in CASES
        if matches(case.name, chosen.case or (QUICK if is_short else ["*"]))
        for role in (chosen.role or case.roles[: 1 if is_short else None])
        if role in case.roles or role == "both"
        for tls in secure
        if not tls or not is_short or case.name in QUICK_TLS
    ]


def left_out(contender: Contender, built: Path) -> str:
    """Return the reason why a contender is left out, or nothing."""
    missing = contender.missing(built)
    return f"{contender.name} is left out: no {', '.join(missing)}" if missing else ""


def choose_subjects(chosen: argparse.Namespace, console: Console) -> list[Subject]:
    loops = ["asyncio", "uvloop"] if chosen.loop == "both" else [chosen.loop]
    subjects = []
    for contender in CONTENDERS:
        if not matches(contender.name, chosen.contender or ["*"]):
            continue
        if reason := left_out(contender, chosen.built):
            console.print(reason)
            continue
        subjects += [Subject(contender, loop) for loop in (loops if contender.program else [""])]
    return subjects


def prepare(folder: Path, chosen: argparse.Namespace) -> Place:
    certificate = folder / "certificate.pem"
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(certificate, append=True)
    payload = folder / "payload.deflate"
    payload.write_bytes(compressed_json(4096))
    log = ROOT / ".cache" / "bench" / "programs.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    return Place(chosen.built, ROOT, certificate, payload, usable_cores(), log)


def show_choices(built: Path, console: Console) -> None:
    console.print("cases:", *[case.name for case in CASES], sep="\n  ")
    console.print("contenders:", *[contender.name for contender in CONTENDERS], sep="\n  ")
    reasons = [left_out(contender, built) for contender in CONTENDERS]
    console.print(*filter(None, reasons), sep="\n")


def keep(
    chosen: argparse.Namespace,
    subjects: list[Subject],
    results: dict[Series, list[Visit]],
    figures: dict[Series, dict[str, Figures]],
) -> None:
    """Write the results, and charts if requested."""
    versions: dict[str, str] = {}
    for subject in subjects:
        versions |= subject.contender.versions(chosen.built)
    how = {"rounds": chosen.rounds, "seconds": chosen.seconds, "by_cpu": chosen.by_cpu}
    write_json(chosen.json, results, figures, versions, how)
    if chosen.charts:
        draw_all(chosen.json, chosen.charts)


def main() -> int:
    chosen = arguments()
    console = Console(width=None if sys.stdout.isatty() else 160)
    if chosen.list:
        show_choices(chosen.built, console)
        return 0
    todo, subjects = choose_series(chosen), choose_subjects(chosen, console)
    results: dict[Series, list[Visit]] = {}
    figures: dict[Series, dict[str, Figures]] = {}
    trouble = []
    bar = Progress(
        TextColumn("{task.description:70.70}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        auto_refresh=False,  # nothing else runs during a visit
    )
    with tempfile.TemporaryDirectory() as folder, bar:
        place = prepare(Path(folder), chosen)
        task = bar.add_task("", total=len(todo))

        def progress(what: str) -> None:
            bar.update(task, description=what)
            bar.refresh()

        for series in todo:
            results[series] = []
            for outcome in measure(
                series,
                subjects,
                place,
                rounds=chosen.rounds,
                seconds=chosen.seconds,
                idle=chosen.idle,
                progress=progress,
            ):
                if isinstance(outcome, Visit):
                    results[series].append(outcome)
                else:
                    trouble.append(outcome)
                    console.print(outcome, style="red")
            figures[series] = summarize(
                series, results[series], REFERENCE.name, BASELINE, busy=chosen.by_cpu
            )
            bar.advance(task)
            console.print(as_table(series, figures[series], BASELINE))
            if chosen.markdown:
                tables = [as_markdown(one, figures[one], BASELINE) for one in figures]
                chosen.markdown.write_text("\n".join(tables))
    if chosen.json:
        keep(chosen, subjects, results, figures)
    return 1 if trouble else 0


sys.exit(main())
