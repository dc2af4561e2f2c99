"""Whole messages, and the awaitables that receive and send them."""

__all__: list[str] = []
