"""Extensions (RFC 6455, 9): the base classes that programs derive their own from."""

from .base import ClientExtensionFactory, Extension, ServerExtensionFactory

__all__ = ["ClientExtensionFactory", "Extension", "ServerExtensionFactory"]
