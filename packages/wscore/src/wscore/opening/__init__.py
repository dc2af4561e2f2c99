"""Opening connections: addresses, sockets, proxies, and TLS if requested."""

__all__: list[str] = []
