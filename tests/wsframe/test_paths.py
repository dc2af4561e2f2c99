"""Where the C library lies. That it can be built against is tested in test_build_against.py."""

from pathlib import Path

import wsframe


def test_everything_is_there() -> None:
    assert (Path(wsframe.get_include()) / "wsframe" / "wsframe.h").is_file()
    assert Path(wsframe.get_library()).is_file()
    assert (Path(wsframe.get_cmake_dir()) / "wsframe-config.cmake").is_file()
    assert (Path(wsframe.get_pkgconfig_dir()) / "wsframe.pc").is_file()


def test_declarations_for_cython_are_installed() -> None:
    assert (Path(wsframe.__file__).parent / "cwsframe.pxd").is_file()


def test_declarations_are_complete() -> None:
    """Every exported function of the headers is declared for Cython, and nothing else."""
    headers = Path(wsframe.get_include(), "wsframe").glob("*.h")
    exported = {
        line.split("(")[0].split()[-1].lstrip("*")
        for header in headers
        for line in header.read_text().splitlines()
        if line.startswith("WSF_API ")
    }
    declared = {
        line.split("(")[0].split()[-1].lstrip("*")
        for line in (Path(wsframe.__file__).parent / "cwsframe.pxd").read_text().splitlines()
        if line.startswith("    ") and "wsf_" in line and "(" in line and "ctypedef" not in line
    }
    assert len(exported) > 25
    assert declared == exported
