"""Where the C library lies inside the installed package, for builds that are not CMake's.

It only looks files up; it never builds or changes anything.
"""

import sys
from importlib.resources import files
from pathlib import Path

__all__ = ["get_cmake_dir", "get_include", "get_library", "get_pkgconfig_dir"]


def _find(relative: str) -> Path:
    # In an editable install the package's Python files and its built files lie apart.
    path = Path(str(files("wsframe").joinpath(*relative.split("/"))))
    if not path.exists():
        raise FileNotFoundError(f"this installation of wsframe has no {relative}")
    return path


def get_include() -> str:
    """Tell where the headers are.

    Returns:
        The folder to search for ``wsframe/wsframe.h``.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    return str(_find("include"))


def get_library() -> str:
    """Tell where the static library is.

    Returns:
        The path of ``libwsframe.a`` (``wsframe.lib`` on Windows), to be given to a linker or to
        `setuptools.Extension` as one of ``extra_objects``.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    name = "wsframe.lib" if sys.platform == "win32" else "libwsframe.a"
    return str(_find(f"lib/{name}"))


def get_cmake_dir() -> str:
    """Tell where the CMake package is.

    Returns:
        The folder of ``wsframe-config.cmake``, to be passed to CMake as ``wsframe_DIR``.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    return str(_find("lib/cmake/wsframe"))


def get_pkgconfig_dir() -> str:
    """Tell where the pkg-config file is.

    Returns:
        The folder of ``wsframe.pc``, to be added to ``PKG_CONFIG_PATH``.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    return str(_find("lib/pkgconfig"))
