"""One WebSocket connection: its state, its frames, and its listener."""

__all__: list[str] = []
