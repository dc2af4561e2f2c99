"""The programs of the tutorial do what it says, and each client works with each server."""

import pytest

from tests.support.programs import run, server


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("client", ["core", "compat"])
@pytest.mark.parametrize("answering", ["core", "compat"])
def test_a_text_comes_back_in_capitals(answering: str, client: str, loop: str) -> None:
    with server(f"examples/tutorial/{answering}_server.py", 0, loop=loop) as url:
        assert url.startswith("ws://127.0.0.1:")
        printed = run(f"examples/tutorial/{client}_client.py", url, "grüß dich", loop=loop)
    assert printed == "GRÜSS DICH\n"
