"""OpenSSL, as this process's `ssl` module uses it; only the other compiled modules can use it."""

__all__ = ["is_reachable"]

def is_reachable() -> bool: ...
