"""Every program of examples/wscore, run as it stands; only the port of the echo pair is chosen."""

from pathlib import Path

import pytest

from tests.support.tls import Tls
from tests.wscore.programs import ROOT, line_of, run, running
from tests.wscore.raw_peer import free_port

EXAMPLES = ROOT / "examples" / "wscore"

# Programs that run both ends: what they print.
ALONE = {
    "fragmented_message.py": [
        "TEXT message: a message in three frames",
        "server says: thanks",
    ],
    "subprotocol.py": [
        "agreed on: chat.v2",
        "refused: b'speak chat.v1 or chat.v2'",
    ],
}


@pytest.mark.parametrize("name", ALONE)
async def test_program(name: str) -> None:
    assert await run(EXAMPLES / name) == ALONE[name]


async def test_echo() -> None:
    """The two programs, with another port, since 9001 may be in use."""
    port = free_port()
    server = f"import asyncio, echo_server; asyncio.run(echo_server.main(port={port}))"
    async with running("-c", with_path(server)) as output:
        assert await line_of(output) == f"listening: ('127.0.0.1', {port})"
        printed = await run(EXAMPLES / "echo_client.py", f"ws://127.0.0.1:{port}/echo")
        assert printed[0] == "echo: Grüße, server"
        assert printed[1].startswith("closed: WSCloseHandshake(recv=WSCloseInfo(code=")
        assert (await line_of(output)).startswith("connected: ('127.0.0.1', ")
        assert (await line_of(output)).endswith("recv_then_sent=True)")


def with_path(code: str) -> str:
    return f"import sys; sys.path.insert(0, {str(EXAMPLES)!r}); {code}"


async def test_tls(tls: Tls) -> None:
    printed = await run(EXAMPLES / "echo_tls.py", tls.cert_file, tls.ca_file)
    assert printed == ["secured by TLSv1.3", "echo: nobody else can read this"]


async def test_readme() -> None:
    """The programs of the package's README, with another port."""
    server, client = code_blocks(ROOT / "packages" / "wscore" / "README.md", free_port())
    async with running("-c", server) as output:
        assert (await line_of(output)).startswith("Listening on ('127.0.0.1', ")
        assert await run("-c", client) == ["Echo reply: Hello world"]
        assert await line_of(output) == "New client connected"


def code_blocks(readme: Path, port: int) -> tuple[str, str]:
    """The server and the client, as they stand there, but for the port."""
    blocks = [part.split("```")[0] for part in readme.read_text("utf-8").split("```python\n")[1:]]
    (server,) = (block for block in blocks if "ws_create_server(" in block)
    (client,) = (block for block in blocks if "ws_connect(" in block)
    assert len(blocks) == 2
    return server.replace("9001", str(port)), client.replace("9001", str(port))


def test_every_example_is_run() -> None:
    run_here = {*ALONE, "echo_server.py", "echo_client.py", "echo_tls.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == run_here
