"""The version of the distribution, read by both the build and the program.

This module must import nothing: the build reads it before anything is installed.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
