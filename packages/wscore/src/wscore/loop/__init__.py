"""Resources that all connections of an event loop share."""

__all__: list[str] = []
