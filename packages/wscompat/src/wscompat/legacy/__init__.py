"""The older API of websockets, for programs that still use it, on wscore.

Importing it gives a `DeprecationWarning`, as in websockets: new programs use `wscompat.asyncio`.
"""

import warnings

__all__: list[str] = []

warnings.warn(
    "wscompat.legacy is deprecated, as websockets.legacy is: "
    "use wscompat.asyncio.client and wscompat.asyncio.server",
    DeprecationWarning,
    stacklevel=2,
)
