"""Transports, and servers, that read and write their sockets themselves."""

__all__: list[str] = []
