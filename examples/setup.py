"""Build `echo_client_cython.pyx` with the installed wscore: `setup.py build_ext --inplace`.

Nothing is linked: Cython gets the types from the `.pxd` files that wscore and wsframe install, and
the C compiler gets the structs for framing from wsframe's headers.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

import wsframe

os.chdir(Path(__file__).parent)

client = Extension(
    "echo_client_cython",
    ["echo_client_cython.pyx"],
    include_dirs=[wsframe.get_include()],
)

setup(name="echo-client-cython", version="1", ext_modules=cythonize([client]))
