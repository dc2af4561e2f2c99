"""States and sides have the names and values of websockets."""

from typing import Any

import pytest
import websockets.protocol

from wscompat import protocol


@pytest.mark.parametrize("name", ["Side", "State"])
def test_enumerations(name: str) -> None:
    def members(module: Any) -> dict[str, int]:
        return {member.name: member.value for member in getattr(module, name)}

    assert members(protocol) == members(websockets.protocol)
