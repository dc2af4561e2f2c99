"""`install`: makes ``import websockets`` give wscompat, for libraries that cannot be changed.

It adds one finder to `sys.meta_path` and touches nothing else; `uninstall` takes it away again.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

from .version import model, version

__all__ = ["install", "shown_version", "uninstall"]

_OURS = __package__ or "wscompat"
_THEIRS = "websockets"

#: Parts of websockets besides its asyncio API, and their replacements.
_ELSEWHERE = {
    "sync": "use wscompat.asyncio, or the real websockets without wscompat.install()",
    "trio": "use wscompat.asyncio, or the real websockets without wscompat.install()",
}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``websockets.x`` as ``wscompat.x``: the same module, not a copy."""

    def __init__(self) -> None:
        self._own_specs: dict[str, importlib.machinery.ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        if top != _THEIRS:
            return None
        part = rest.partition(".")[0]
        if part in _ELSEWHERE:
            raise ImportError(f"wscompat has no {fullname}: {_ELSEWHERE[part]}", name=fullname)
        if importlib.util.find_spec(_our_name(fullname)) is None:
            raise ModuleNotFoundError(f"wscompat has no {fullname}", name=fullname)
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(_our_name(spec.name))
        self._own_specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It ran when it was imported under its own name; this import has replaced its spec.
        assert module.__spec__ is not None
        module.__spec__ = self._own_specs.pop(module.__spec__.name)


_finder: _Finder | None = None


def _our_name(name: str) -> str:
    return _OURS + name.removeprefix(_THEIRS)


def shown_version() -> str:
    """Return the value of ``__version__``: while `install` is active, that of websockets."""
    return version if _finder is None else model


def install() -> None:
    """Make ``import websockets``, and its submodules, give wscompat from now on.

    It holds for the whole process. Exceptions are the same classes under both names, and
    ``__version__`` is that of the release of websockets which wscompat is like, because libraries
    decide by it. Calling it again does nothing.

    Raises:
        RuntimeError: if the real websockets was imported before.
    """
    global _finder
    if _finder is not None:
        return
    if _THEIRS in sys.modules:
        raise RuntimeError(
            "websockets is already imported: call wscompat.install() before anything imports it"
        )
    _finder = _Finder()
    sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Undo `install`: the next ``import websockets`` gives the real one, or fails.

    Modules imported meanwhile stay as they are. Without `install` it does nothing.
    """
    global _finder
    if _finder is None:
        return
    sys.meta_path.remove(_finder)
    _finder = None
    for name in [name for name in sys.modules if name.partition(".")[0] == _THEIRS]:
        del sys.modules[name]
