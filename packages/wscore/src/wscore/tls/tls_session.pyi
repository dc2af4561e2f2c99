"""TLS of one connection, in memory; only the other compiled modules can use it."""

import ssl
from typing import final

from typing_extensions import disjoint_base

__all__ = ["TlsSession", "Window"]

@final
class Window: ...

@disjoint_base
class TlsSession:
    def __init__(
        self, ssl_object: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None: ...
