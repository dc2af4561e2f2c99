"""Helpers of the tests: each file is one kind of help, imported by its own name."""

__all__: list[str] = []
