"""Header fields of HTTP: case-insensitive, ordered, several values for one name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Protocol

from multidict import CIMultiDict

from .exceptions import InvalidHeaderValue

__all__ = ["Headers", "HeadersLike", "MultipleValuesError"]

_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5


class MultipleValuesError(LookupError):
    """A header field that must have one value has several."""

    def __str__(self) -> str:
        return repr(self.args[0]) if len(self.args) == 1 else super().__str__()


class Headers(MutableMapping[str, str]):
    """Header fields.

    It is a mapping from names, in any letter case, to values. Two things differ from a `dict`:
    setting a name that is there adds a value to it, and getting the value of a name that has
    several raises `MultipleValuesError`. Iteration gives the names in lower case.

    Args:
        *args: at most one: a mapping, pairs of names and values, or other headers.
        **kwargs: further fields.
    """

    __slots__ = ("_fields",)

    def __init__(self, *args: HeadersLike, **kwargs: str) -> None:
        self._fields: CIMultiDict[str] = CIMultiDict()  # as wscore has them
        if args or kwargs:
            self.update(*args, **kwargs)

    def __str__(self) -> str:
        """Return the fields as they stand in a message, the empty line included."""
        return "".join([f"{name}: {value}\r\n" for name, value in self._fields.items()]) + "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.raw_items())!r})"

    def copy(self) -> Headers:
        """Other headers with the same fields."""
        return self._from_core(self._fields.copy())

    def serialize(self) -> bytes:
        """Return the fields as they go over the wire, the empty line included."""
        return str(self).encode("latin-1")

    @classmethod
    def _from_core(cls, fields: CIMultiDict[str]) -> Headers:
        """Make headers of fields of wscore, which are not copied."""
        headers = cls()
        headers._fields = fields
        return headers

    def _to_core(self) -> CIMultiDict[str]:
        """Return the fields for wscore, which accepts only strings; the same if all are strings."""
        for value in self._fields.values():
            if type(value) is not str:
                return CIMultiDict([(name, str(value)) for name, value in self._fields.items()])
        return self._fields

    # -- the mapping

    def __contains__(self, key: object) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __getitem__(self, key: str) -> str:
        values = self._fields.getall(key, ())
        if not values:
            raise KeyError(key)
        if len(values) > 1:
            raise MultipleValuesError(key)
        return values[0]

    def __setitem__(self, key: str, value: str) -> None:
        if not _VALUE.fullmatch(str(value)):
            raise InvalidHeaderValue(key, value)
        self._fields.add(key, value)

    def __delitem__(self, key: str) -> None:
        del self._fields[key]

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        names = self._names()
        return names.keys() == other._names().keys() and all(
            self.get_all(name) == other.get_all(name) for name in names
        )

    def clear(self) -> None:
        """Remove all fields."""
        self._fields.clear()

    def update(self, *args: HeadersLike, **kwargs: str) -> None:
        """Add fields; of other headers all values of each name."""
        super().update(
            *(arg.raw_items() if isinstance(arg, Headers) else arg for arg in args), **kwargs
        )

    # -- beyond mappings

    def set_insecure(self, key: str, value: str) -> None:
        """Add a value without looking for control characters in it.

        Args:
            key: the name.
            value: the value, from a source that has checked it.
        """
        self._fields.add(key, value)

    def get_all(self, key: str) -> list[str]:
        """Return all values of a name, in their order; an empty list if there are none."""
        return self._fields.getall(key, [])

    def raw_items(self) -> Iterator[tuple[str, str]]:
        """Yield all fields as pairs, in their order and letter case."""
        return iter(self._fields.items())

    def _names(self) -> dict[str, None]:
        """Return the names in lower case, each once, in their order."""
        return dict.fromkeys([name.lower() for name in self._fields])


class _SupportsKeysAndGetItem(Protocol):
    def keys(self) -> Iterable[str]: ...

    def __getitem__(self, key: str, /) -> str: ...


HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]] | _SupportsKeysAndGetItem
"""The types that header fields can be given as."""
