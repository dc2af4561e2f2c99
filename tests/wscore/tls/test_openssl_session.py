"""Who encrypts the records of a connection: OpenSSL itself, or `ssl` where it has to be asked."""

import asyncio
import ctypes
import gc
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.skips import shared_openssl
from tests.support.tls import Tls
from tests.wscore.recorder import Recorder
from tests.wscore.servers import LOOPBACK, serving
from tests.wscore.tls_peer import against_tls_peer, below, client_of, talk_tls
from tests.wscore.wire import TEXT, F
from wscore import WSMsgType

ONLY_1_3 = ssl.TLSVersion.TLSv1_3


async def records_of(server: asyncio.Server, context: ssl.SSLContext) -> str:
    """Who encrypts them on a client's connection that has been used and closed."""
    found: str = below(await talk_tls(server, context)).get_extra_info("records")
    return found


@shared_openssl
async def test_usual_context(side: str, tls: Tls) -> None:
    async with against_tls_peer(side, tls, Recorder()) as (transport, _):
        assert below(transport).get_extra_info("records") == "openssl"


async def test_context_that_writes_its_keys_down(tls: Tls, tmp_path: Path) -> None:
    context = client_of(tls, ONLY_1_3)
    context.keylog_filename = str(tmp_path / "keys")
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        assert await records_of(server, context) == "ssl"
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()


async def test_context_that_shows_its_messages(tls: Tls) -> None:
    seen = []
    context: Any = client_of(tls, ONLY_1_3)
    context._msg_callback = lambda *event: seen.append(event)
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        assert await records_of(server, context) == "ssl"
    assert seen


async def test_objects_of_another_class(tls: Tls) -> None:
    calls = []

    class Watched(ssl.SSLObject):
        def read(self, *arguments: Any) -> Any:
            calls.append(arguments)
            return super().read(*arguments)

    context = client_of(tls, ONLY_1_3)
    context.sslobject_class = Watched
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        assert await records_of(server, context) == "ssl"
    assert calls


class Wasteful(ssl.SSLContext):
    """Makes more objects than it returns."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        super().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), **options)
        return super().wrap_bio(*arguments, **options)


class Replacing(ssl.SSLContext):
    """Makes one object within the call, which is gone, and returns one that was made elsewhere."""

    made: list[ssl.SSLObject]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        super().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), **options)
        other = asyncio.get_running_loop().run_in_executor(None, self._make, arguments, options)
        while not self.made:
            pass
        other.cancel()
        return self.made.pop()

    def _make(self, arguments: Any, options: Any) -> None:
        self.made.append(super().wrap_bio(*arguments, **options))


@pytest.mark.parametrize("kind", [Wasteful, Replacing])
async def test_contexts_that_do_otherwise(tls: Tls, kind: type[ssl.SSLContext]) -> None:
    """What is not known for sure goes through `ssl`."""
    context: Any = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.made = []
    context.load_verify_locations(tls.ca_file)
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        assert await records_of(server, context) == "ssl"


@shared_openssl
@pytest.mark.skipif(ssl.OPENSSL_VERSION_INFO < (3,), reason="ERR_new is of OpenSSL 3")
async def test_errors_that_others_have_left(side: str, tls: Tls) -> None:
    """OpenSSL's list of errors is one for all that use it in a thread."""
    library = ctypes.CDLL(sys.modules[ssl.MemoryBIO.__module__].__file__)

    def leave_an_error() -> None:
        library.ERR_new()
        library.ERR_set_error(ctypes.c_int(2), ctypes.c_int(100), None)
        assert library.ERR_peek_error() != 0

    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        data = peer.seal(F(TEXT, b"hello"))
        leave_an_error()
        await peer.send_raw(data[:-1])
        for _ in range(5):
            await asyncio.sleep(0)
        leave_an_error()
        transport.send(WSMsgType.TEXT, b"answer")
        await peer.read_exactly(8 if side == "server" else 12)
        leave_an_error()
        await peer.send_raw(data[-1:])
        await listener.until("frame")
        assert not transport.is_disconnected


async def test_what_the_user_does_with_the_object(side: str, tls: Tls) -> None:
    """It finds nothing to read, and what it writes is sent with what is sent next."""
    async with against_tls_peer(side, tls, Recorder()) as (transport, peer):
        ssl_object = below(transport).get_extra_info("ssl_object")
        with pytest.raises(ssl.SSLWantReadError):
            ssl_object.read(100)
        assert ssl_object.write(bytes(50_000)) == 50_000
        below(transport).write(b"behind")
        assert await peer.read_exactly(50_006) == bytes(50_000) + b"behind"


async def test_object_that_outlives_its_connection(side: str, tls: Tls) -> None:
    async with against_tls_peer(side, tls, Recorder()) as (transport, _):
        ssl_object = below(transport).get_extra_info("ssl_object")
    del transport
    gc.collect()
    assert ssl_object.version().startswith("TLS")
    with pytest.raises(ssl.SSLError):
        ssl_object.read(100)
    assert ssl_object.write(b"to nobody") == 9
