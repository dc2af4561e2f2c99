"""Tests of the four packages; only `tests.support` is imported by name."""

__all__: list[str] = []
