"""The asyncio API: `wscompat.asyncio.client` and `wscompat.asyncio.server`."""

__all__: list[str] = []
