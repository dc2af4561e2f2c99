"""``python -m wsframe``: flags for compilers and linkers, for makefiles and scripts."""

import argparse

from wsframe import __version__
from wsframe.paths import get_cmake_dir, get_include, get_library, get_pkgconfig_dir

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Print the chosen paths and flags on one line.

    Args:
        arguments: the command line without the program's name; by default that of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m wsframe", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--cflags", action="store_true", help="flags for the compiler")
    parser.add_argument("--libs", action="store_true", help="the library, for the linker")
    parser.add_argument("--cmakedir", action="store_true", help="folder of the CMake package")
    parser.add_argument("--pkgconfigdir", action="store_true", help="folder of the .pc file")
    chosen = parser.parse_args(arguments)
    words = []
    if chosen.cflags:
        words.append(f"-I{get_include()}")
    if chosen.libs:
        words.append(get_library())
    if chosen.cmakedir:
        words.append(get_cmake_dir())
    if chosen.pkgconfigdir:
        words.append(get_pkgconfig_dir())
    if not words:
        parser.error("at least one option is required")
    print(*words)  # noqa: T201


if __name__ == "__main__":
    main()
