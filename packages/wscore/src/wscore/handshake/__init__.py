"""The opening handshake, without I/O."""

__all__: list[str] = []
