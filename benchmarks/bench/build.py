"""Builds what the benchmark needs compiled: the C reference, and the listeners in Cython.

    python -m benchmarks.bench.build FOLDER

The folder receives the program `reference` and the modules `bench_wscore` and `bench_picows`.
"""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Distribution, Extension

import wsframe

HERE = Path(__file__).parent
LIBRARIES = ("wscore", "picows")

__all__ = ["build"]


def build_reference(folder: Path) -> None:
    """Build the C program on the libwsframe of the installed wheel."""
    source = HERE.parent / "reference"
    build = folder / "build-reference"
    subprocess.run(
        ["cmake", "-S", source, "-B", build, f"-Dwsframe_DIR={wsframe.get_cmake_dir()}"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", build], check=True)
    (build / "reference").replace(folder / "reference")


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
    build_reference(folder)
    build_listeners(folder)


if __name__ == "__main__":
    os.environ.setdefault("CFLAGS", "")
    build(Path(sys.argv[1]).resolve())
