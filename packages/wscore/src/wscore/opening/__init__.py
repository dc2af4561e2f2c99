"""How a connection comes about: addresses, sockets, proxies, and TLS where it is asked for."""

__all__: list[str] = []
