"""Loggers: wscore logs only to ``wscore.*``, or to the logger that the caller passes."""

from __future__ import annotations

import functools
import logging

__all__ = ["PICOWS_DEBUG_LL", "WSCORE_DEBUG_LL", "Logger", "resolve_logger"]

#: The level of wscore's own debug records, below `logging.DEBUG` so that frames do not flood an
#: application's debug output.
WSCORE_DEBUG_LL = 9

#: The same under the name that programs written for picows use.
PICOWS_DEBUG_LL = WSCORE_DEBUG_LL

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


def resolve_logger(logger_name: str | Logger | None, default: str) -> Logger:
    """Return the logger for a ``logger_name`` argument.

    Args:
        logger_name: the last part of a name under ``wscore``, a logger or adapter, or None.
        default: the last part of the name if None was given.

    Returns:
        A logger or adapter.

    Raises:
        TypeError: if the argument is of another type.
    """
    if logger_name is None or isinstance(logger_name, str):
        return _named(logger_name or default)
    if not hasattr(logger_name, "isEnabledFor"):
        raise TypeError(f"logger_name must be a str, a logger or an adapter, not {logger_name!r}")
    return logger_name


@functools.cache  # `logging.getLogger` takes a lock
def _named(name: str) -> logging.Logger:
    return logging.getLogger(f"wscore.{name}")
