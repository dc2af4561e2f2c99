"""Callbacks that are coroutine functions by mistake are reported, once for each class."""

import logging
from typing import Any

import pytest

from tests.wscore.pairs import Setting, against_raw_peer, serving, until_gone
from tests.wscore.recorder import Recorder
from tests.wscore.wire import TEXT, F
from wscore import WSListener, WSMessageListener, WSMsgType, ws_connect


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage().partition(",")[0]
        for record in caplog.records
        if record.levelno == logging.WARNING and record.name.startswith("wscore.")
    ]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_coroutine_functions(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    class Awaited(Recorder):
        async def pause_writing(self) -> None: ...  # type: ignore[override]

        async def on_ws_frame(  # type: ignore[override]
            self, transport: Any, frame: Any
        ) -> None: ...

    for _ in range(2):
        async with against_raw_peer(setting, Awaited()) as (transport, peer):
            await peer.send(F(TEXT, b"a"))
            assert transport.is_open
    name = Awaited.__qualname__
    assert warnings_of(caplog) == [
        f"{name}.on_ws_frame is never run",
        f"{name}.pause_writing is never run",
    ]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_derived_class(both: Setting, caplog: pytest.LogCaptureFixture) -> None:
    class Awaited(WSMessageListener):
        async def on_ws_message(  # type: ignore[override]
            self, transport: Any, msg_type: WSMsgType, message: Any
        ) -> None: ...

    class Derived(Awaited):
        """What it inherits is reported by its name."""

    async with serving(both, lambda _: WSListener()) as port:
        client, _ = await ws_connect(Derived, both.url(port), **both.client_options)
        client.disconnect()
        await until_gone(client)
    assert warnings_of(caplog) == [f"{Derived.__qualname__}.on_ws_message is never run"]


async def test_plain_functions(plain: Setting, caplog: pytest.LogCaptureFixture) -> None:
    async with against_raw_peer(plain, Recorder()) as (_, peer):
        await peer.send(F(TEXT, b"a"))
    assert warnings_of(caplog) == []
