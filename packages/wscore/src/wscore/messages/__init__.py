"""Whole messages, and what can be awaited."""

__all__: list[str] = []
