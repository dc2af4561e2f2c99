"""A `TlsSession` that calls OpenSSL itself; only the other compiled modules can use it."""

from typing_extensions import disjoint_base

from .tls_session import TlsSession

__all__ = ["OpensslSession"]

@disjoint_base
class OpensslSession(TlsSession): ...
