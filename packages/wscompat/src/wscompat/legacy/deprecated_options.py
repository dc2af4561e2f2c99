"""Arguments of `connect` and `serve` that had other names before, or that mean nothing any more."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["FormerOptions", "deprecated_options"]


@dataclass(frozen=True)
class FormerOptions:
    """The options, given by current or deprecated names.

    Attributes:
        create_protocol: formerly ``klass``.
        close_timeout: formerly ``timeout``.
        legacy_recv: whether ``recv`` returns None when the connection is closed.
    """

    create_protocol: Callable[..., Any] | None
    close_timeout: float | None
    legacy_recv: bool


def deprecated_options(
    kwargs: dict[str, Any],
    create_protocol: Callable[..., Any] | None,
    close_timeout: float | None,
) -> FormerOptions:
    """Take former arguments out, with a `DeprecationWarning` for each.

    Args:
        kwargs: the further arguments of `connect` or `serve`; the former ones are removed.
        create_protocol: the argument of this name.
        close_timeout: the argument of this name.
    """
    timeout = kwargs.pop("timeout", None)
    if timeout is not None:
        _warn_deprecated("rename timeout to close_timeout")
    klass = kwargs.pop("klass", None)
    if klass is not None:
        _warn_deprecated("rename klass to create_protocol")
    legacy_recv = kwargs.pop("legacy_recv", False)
    if kwargs.pop("loop", None) is not None:
        _warn_deprecated("remove loop argument")
    return FormerOptions(
        create_protocol or klass,
        timeout if close_timeout is None else close_timeout,
        legacy_recv,
    )


def _warn_deprecated(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=4)
