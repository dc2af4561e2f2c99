"""Which contenders take part, how their programs are started, and what versions they tell."""

from pathlib import Path

import pytest

from benchmarks.bench import build
from benchmarks.bench.contenders import CONTENDERS, REFERENCE, Contender

SHELL_PROGRAM = '#!/bin/sh\n[ "$1" = version ] && echo "Boost 1_74"\n'


def compiled(folder: Path) -> Contender:
    """Return a contender whose compiled program is there."""
    program = folder / "beast"
    program.write_text(SHELL_PROGRAM)
    program.chmod(0o755)
    return Contender("Boost.Beast", compiled="beast", needs=("header",))


def test_a_program_that_was_not_built_is_missing_for_what_it_needs(tmp_path: Path) -> None:
    contender = Contender("Boost.Beast", compiled="beast", needs=("header",))
    assert contender.missing(tmp_path) == ["header"]
    assert compiled(tmp_path).missing(tmp_path) == []


def test_a_compiled_program_is_started_as_it_is(tmp_path: Path) -> None:
    assert compiled(tmp_path).command(tmp_path) == [str(tmp_path / "beast")]


def test_a_compiled_program_tells_its_version(tmp_path: Path) -> None:
    assert compiled(tmp_path).versions(tmp_path) == {"Boost": "1_74"}


def test_a_module_that_is_not_there_is_missing(tmp_path: Path) -> None:
    contender = Contender("a", "messages", needs=("json", "no_such_module", "no_such.module"))
    assert contender.missing(tmp_path) == ["no_such_module", "no_such.module"]


def test_a_module_is_run_with_its_variant(tmp_path: Path) -> None:
    contender = Contender("a", "messages", variant={"connecting": {}}, packages=("pytest",))
    assert contender.command(tmp_path)[1:] == [
        *("-m", "benchmarks.bench.programs.messages", "--variant", '{"connecting": {}}')
    ]
    assert contender.versions(tmp_path) == {"pytest": pytest.__version__}


def test_every_contender_has_one_program_and_one_name() -> None:
    assert REFERENCE in CONTENDERS
    assert all(bool(it.program) != bool(it.compiled) for it in CONTENDERS)
    assert len({it.name for it in CONTENDERS}) == len(CONTENDERS)


def test_without_a_compiler_that_is_what_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert build.lacking("boost/beast.hpp", cxx=True) == "C++ compiler"


def test_the_compiler_says_whether_there_is_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of_a_library.hpp").touch()
    monkeypatch.setenv("CPLUS_INCLUDE_PATH", str(tmp_path))
    assert build.lacking("of_a_library.hpp", cxx=True) == ""
    assert build.lacking("of_another.hpp", cxx=True) == "of_another.hpp"
