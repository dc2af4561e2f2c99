"""Builds one extension module that links libwsframe."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import wsframe

setup(
    ext_modules=cythonize(
        [
            Extension(
                "masked",
                ["masked.pyx"],
                include_dirs=[wsframe.get_include()],
                extra_objects=[wsframe.get_library()],
            )
        ],
        language_level=3,
    )
)
