"""TLS on the sockets of `sockets`."""

__all__: list[str] = []
