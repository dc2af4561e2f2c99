"""Builds what others would build on wsframe, and runs it.

Python packages build against the installed wsframe: one with CMake, one with plain setuptools. C
programs build against an installation without Python, static and shared, through CMake and through
pkg-config; and with the sources as a part of their own project.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import wsframe

HERE = Path(__file__).parent / "downstream"
SOURCE = Path(__file__).parents[2] / "packages" / "wsframe" / "c"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX compiler driver")


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command; what it printed is the result, or the failure's message."""
    result = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def build_package(name: str, tmp_path: Path, module: str) -> ModuleType:
    """Build a package as pip would, without an index, and import its module."""
    source = tmp_path / "source"
    shutil.copytree(HERE / name, source)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    target = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", *options, "--target", target, source)
    (built,) = target.glob(f"{module}.*")
    spec = importlib.util.spec_from_file_location(module, built)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_python_package_with_cmake(tmp_path: Path) -> None:
    module = build_package("cmake_package", tmp_path, "unmask")
    wire = wsframe.build_frame(wsframe.Opcode.TEXT, "Grüße", mask=True)
    assert module.first_payload(bytearray(wire)) == "Grüße".encode()
    with pytest.raises(ValueError, match="unmasked"):
        module.first_payload(bytearray(b"\x81\x00"))


def test_python_package_with_setuptools(tmp_path: Path) -> None:
    module = build_package("setuptools_package", tmp_path, "masked")
    assert module.masked_frame(b"Hello", b"mask") == wsframe.build_frame(
        wsframe.Opcode.BINARY, b"Hello", mask=b"mask"
    )


@pytest.fixture(scope="module", params=["static", "shared"])
def prefix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install libwsframe as it is without Python, once for all tests; returns the prefix."""
    kind: str = request.param
    folder = tmp_path_factory.mktemp(kind)
    build, installed = folder / "build", folder / kind
    shared = "ON" if kind == "shared" else "OFF"
    options = [f"-DBUILD_SHARED_LIBS={shared}", "-DCMAKE_INSTALL_LIBDIR=lib"]
    run("cmake", "-S", SOURCE, "-B", build, *options)
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", installed, "--component", "wsframe")
    return installed


def build_program(tmp_path: Path, *options: str) -> Path:
    """Build the C program with CMake."""
    build = tmp_path / "program"
    run("cmake", "-S", HERE / "c_project", "-B", build, *options)
    run("cmake", "--build", build)
    return build / "program"


def check_program(program: Path, libraries: Path | None = None) -> None:
    """Run the C program, with shared libraries from the given folder."""
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    printed = run(program, environment=dict.fromkeys(names, str(libraries)) if libraries else None)
    assert printed.split() == ["Hello", wsframe.__version__]


def test_installed_library(prefix: Path, tmp_path: Path) -> None:
    installed = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()}
    assert "include/wsframe/wsframe.h" in installed
    assert "lib/cmake/wsframe/wsframe-config.cmake" in installed
    if prefix.name == "shared" and sys.platform == "linux":
        assert {"lib/libwsframe.so", "lib/libwsframe.so.1"} <= installed
    check_program(build_program(tmp_path, "-DHOW=find_package", f"-Dwsframe_ROOT={prefix}"))


@pytest.mark.skipif(not shutil.which("pkg-config"), reason="no pkg-config")
def test_pkg_config(prefix: Path, tmp_path: Path) -> None:
    # It must also be right at another place, as wheels are unpacked anywhere.
    moved = tmp_path / "moved"
    shutil.copytree(prefix, moved, symlinks=True)
    where = {"PKG_CONFIG_PATH": f"{moved}/lib/pkgconfig"}
    flags = run("pkg-config", "--cflags", "--libs", "wsframe", environment=where)
    assert str(moved) in flags
    program = tmp_path / "program"
    run("cc", HERE / "c_project" / "program.c", "-o", program, *flags.split())
    check_program(program, moved / "lib")


def test_flags_from_the_command_line(tmp_path: Path) -> None:
    flags = run(sys.executable, "-m", "wsframe", "--cflags", "--libs").split()
    program = tmp_path / "program"
    run("cc", HERE / "c_project" / "program.c", "-o", program, *flags, "-pthread")
    check_program(program)


@pytest.mark.parametrize("how", ["add_subdirectory", "fetch_content"])
def test_sources_in_another_project(tmp_path: Path, how: str) -> None:
    check_program(build_program(tmp_path, f"-DHOW={how}", f"-DWSFRAME_SOURCE={SOURCE}"))


def defined(library: Path) -> set[str]:
    """List the symbols that a shared library offers."""
    return {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}


@pytest.mark.skipif(not shutil.which("nm"), reason="no nm")
def test_the_shared_library_exports_its_interface_only(prefix: Path) -> None:
    declared = {
        line.split("(")[0].split()[-1].lstrip("*")
        for header in Path(wsframe.get_include(), "wsframe").glob("*.h")
        for line in header.read_text().splitlines()
        if line.startswith("WSF_API ")
    }
    if prefix.name == "shared":
        assert defined(prefix / "lib" / "libwsframe.so") == declared


@pytest.mark.skipif(not shutil.which("nm"), reason="no nm")
def test_modules_do_not_export_the_library() -> None:
    modules = list(Path(wsframe.parser.__file__).parent.glob("*.so"))
    assert modules
    for module in modules:
        assert {symbol for symbol in defined(module) if symbol.startswith("wsf_")} == set()
