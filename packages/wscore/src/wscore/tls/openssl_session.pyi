"""A `TlsSession` that calls OpenSSL itself; only the other compiled modules can use it."""

from typing import final

from .tls_session import TlsSession

__all__ = ["OpensslSession"]

@final
class OpensslSession(TlsSession): ...
