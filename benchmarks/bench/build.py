"""Build the compiled parts of the benchmark: programs in C and C++, and listeners in Cython.

    python -m benchmarks.bench.build FOLDER

They are written to the folder: the program `reference`, the program `beast` if Boost's headers are
installed, and the modules `bench_wscore` and `bench_picows`.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Distribution, Extension

import wsframe

HERE = Path(__file__).parent
LIBRARIES = ("wscore", "picows")

__all__ = ["build", "build_program", "lacking"]


def build_program(name: str, folder: Path) -> None:
    """Build the program whose sources are in the folder of its name.

    Args:
        name: of the program. If it needs libwsframe, that is the installed wheel's.
        folder: receives it.
    """
    source = HERE.parent / name
    build = folder / f"build-{name}"
    libwsframe = f"-Dwsframe_DIR={wsframe.get_cmake_dir()}"
    subprocess.run(
        ["cmake", "-S", source, "-B", build, "--no-warn-unused-cli", libwsframe],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", build], check=True)
    (build / name).replace(folder / name)


def lacking(header: str, *, cxx: bool) -> str:
    """Return what is missing to compile a program that needs a header, or nothing."""
    variable, names = ("CXX", ["c++", "g++", "clang++"]) if cxx else ("CC", ["cc", "gcc", "clang"])
    named = os.environ.get(variable)
    compiler = next(filter(None, map(shutil.which, [named] if named else names)), None)
    if compiler is None:
        return "C++ compiler" if cxx else "C compiler"
    done = subprocess.run(
        [compiler, "-E", "-x", "c++" if cxx else "c", "-"],
        input=f"#include <{header}>\n",
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return header if done.returncode else ""


def build_programs(folder: Path) -> None:
    """Build the C reference, and the other programs that can be built here."""
    build_program("reference", folder)
    if missing := lacking("boost/beast/version.hpp", cxx=True):
        (folder / "beast").unlink(missing_ok=True)
        print(f"Boost.Beast's program is not built: no {missing}")
    else:
        build_program("beast", folder)


def build_listeners(folder: Path) -> None:
    """Build the Cython listeners of the libraries that are installed."""
    found = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    extensions = cythonize(
        [
            Extension(
                f"bench_{name}",
                [str(HERE / "programs" / f"bench_{name}.pyx")],
                include_dirs=[wsframe.get_include(), str(package_folder(name))],
                extra_compile_args=["-O2"],
            )
            for name in found
        ],
        build_dir=str(folder / "build-listeners"),
        compiler_directives={"language_level": 3},
        include_path=[sysconfig.get_path("platlib")],
    )
    distribution = Distribution({"ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.build_lib = str(folder)
    command.build_temp = str(folder / "build-listeners")
    command.ensure_finalized()
    command.run()


def package_folder(name: str) -> Path:
    """Return the folder of an installed package; picows keeps a header there."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    build_programs(folder)
    build_listeners(folder)


if __name__ == "__main__":
    os.environ.setdefault("CFLAGS", "")
    build(Path(sys.argv[1]).resolve())
