"""Extension types used before they are initialised raise exceptions, and never crash."""

import subprocess
import sys

import pytest

from tests.support.misuse import extension_types
from wscore import WSFrame, WSTransport
from wscore.loop.loop_io import Block
from wscore.messages.item_queue import Fragment
from wscore.messages.message_reader import Patience

TYPES = [*extension_types("wscore"), *extension_types("wsframe")]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_misuse(kind: type) -> None:
    program = [sys.executable, "-m", "tests.support.misuse", kind.__module__, kind.__qualname__]
    result = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout.endswith("survived\n"), result.stderr[-3000:]


@pytest.mark.parametrize("kind", [Block, Fragment, Patience, WSFrame, WSTransport])
def test_types_that_only_wscore_makes(kind: type) -> None:
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind.__new__(kind)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Sub", (kind,), {})
