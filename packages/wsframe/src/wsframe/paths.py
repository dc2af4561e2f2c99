"""The location of the C library inside the installed package, for builds without CMake.

It only looks up files; it never builds or changes anything.
"""

import sys
from importlib.resources import files
from pathlib import Path

__all__ = ["get_cmake_dir", "get_include", "get_library", "get_pkgconfig_dir"]


def _find(relative: str) -> Path:
    # In an editable install the package's Python files and its built files are in different places.
    path = Path(str(files("wsframe").joinpath(*relative.split("/"))))
    if not path.exists():
        raise FileNotFoundError(f"this installation of wsframe has no {relative}")
    return path


def get_include() -> str:
    """Return the folder of the headers.

    Returns:
        The include path for ``wsframe/wsframe.h``.

    Raises:
        FileNotFoundError: it is not installed.
    """
    return str(_find("include"))


def get_library() -> str:
    """Return the path of the static library.

    Returns:
        The path of ``libwsframe.a`` (``wsframe.lib`` on Windows), to be passed to a linker or to
        `setuptools.Extension` as one of ``extra_objects``.

    Raises:
        FileNotFoundError: it is not installed.
    """
    name = "wsframe.lib" if sys.platform == "win32" else "libwsframe.a"
    return str(_find(f"lib/{name}"))


def get_cmake_dir() -> str:
    """Return the folder of the CMake package.

    Returns:
        The folder of ``wsframe-config.cmake``, to be passed to CMake as ``wsframe_DIR``.

    Raises:
        FileNotFoundError: it is not installed.
    """
    return str(_find("lib/cmake/wsframe"))


def get_pkgconfig_dir() -> str:
    """Return the folder of the pkg-config file.

    Returns:
        The folder of ``wsframe.pc``, to be added to ``PKG_CONFIG_PATH``.

    Raises:
        FileNotFoundError: it is not installed.
    """
    return str(_find("lib/pkgconfig"))
