"""Connections through a proxy: which way they take, what goes wrong, and that nothing is left."""

from pathlib import Path

import pytest

from tests.support.real_proxies import RealProxy
from tests.wscore import wire
from tests.wscore.pairs import Setting, serving
from tests.wscore.programs import run
from tests.wscore.raw_peer import free_port
from tests.wscore.recorder import Recorder
from wscore import WSFrame, WSMsgType, WSTransport, ws_connect


def echo(transport: WSTransport, frame: WSFrame) -> None:
    transport.send(frame.msg_type, frame.get_payload_as_memoryview())


async def test_proxy(both: Setting, socks_proxy: RealProxy) -> None:
    at_client = Recorder()
    async with serving(both, lambda _: Recorder(echo)) as port:
        transport, _ = await ws_connect(
            lambda: at_client,
            both.url(port),
            proxy=f"socks5://127.0.0.1:{socks_proxy.port}",
            **both.client_options,
        )
        assert transport.is_secure == (both.tls is not None)
        peer = transport.underlying_transport.get_extra_info("peername")
        assert peer == ("127.0.0.1", socks_proxy.port)
        transport.send(WSMsgType.BINARY, bytes(100_000))
        await at_client.until("frame")
        assert at_client.seen == [(wire.BINARY, bytes(100_000))]
        transport.disconnect()
        await transport.wait_disconnected()


async def test_proxy_that_is_not_there() -> None:
    with pytest.raises(OSError):
        await ws_connect(Recorder, "ws://127.0.0.1:1/", proxy=f"socks5://127.0.0.1:{free_port()}")


WITHOUT_WSPROXY = """
import asyncio, sys
sys.modules["wsproxy"] = None  # what is None there cannot be imported
from wscore import WSError, WSListener, ws_connect
try:
    asyncio.run(ws_connect(WSListener, "ws://127.0.0.1:1/", proxy="socks5://127.0.0.1:1"))
except WSError as exc:
    print(exc)
"""


async def test_proxy_without_wsproxy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WITHOUT_WSPROXY)
    (line,) = await run(program)
    assert "wsproxy-asyncio" in line
    assert "pip install" in line
