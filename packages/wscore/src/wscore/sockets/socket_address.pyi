"""The two addresses of a connected socket; there is nothing here for Python."""

__all__: list[str] = []
