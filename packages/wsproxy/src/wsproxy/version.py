"""The version of the distribution, in the one place that the build and the program both read.

It must import nothing: the build reads this file before anything is installed.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
