"""What goes wrong with TLS is told by the same exceptions, whoever encrypts the records."""

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.skips import shared_openssl
from tests.wscore.recorder import Recorder
from tests.wscore.tls_peer import TlsPeer, against_tls_peer, below, client_of, server_of, tls_by
from tests.wscore.wire import TEXT, F
from wscore import WSTransport


def changed(peer: TlsPeer) -> bytes:
    record = bytearray(peer.seal(F(TEXT, b"hello")))
    record[-1] ^= 1
    return bytes(record)


def alert(peer: TlsPeer) -> bytes:
    """Return what the peer says about a record of ours that it cannot read."""
    peer.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    with contextlib.suppress(ssl.SSLError):
        peer.tls.read(1)
    return peer.outgoing.read()


def record(head: bytes, size: int) -> Callable[[TlsPeer], bytes]:
    return lambda _: head + bytes(size)


WRONG = {
    "changed": changed,
    "alert": alert,
    "too long": record(b"\x17\x03\x03\xff\xff", 70_000),
    "empty": record(b"\x17\x03\x03\x00\x00", 0),
    "another version": record(b"\x17\x09\x09\x00\x20", 32),
    "another type": record(b"\x63\x03\x03\x00\x20", 32),
    "a plain alert": record(b"\x15\x03\x03\x00\x02\x02\x28", 0),
    "a plain handshake": record(b"\x16\x03\x03\x00\x04\x01\x00\x00\x00", 0),
    "a change of cipher": record(b"\x14\x03\x03\x00\x01", 1),
    "not TLS": record(b"GET / HTTP/1.1\r\n", 10_000),
    "the end, and more": lambda peer: peer.say_goodbye() + bytes(100),
}
HARMLESS = {"the end, and more"}


@shared_openssl
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("wrong", WRONG)
async def test_the_same_exception(
    side: str, wrong: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    found = []
    for records in ("openssl", "ssl"):
        (tmp_path / records).mkdir()
        tls = tls_by(records, tmp_path / records)
        server, client = server_of(tls), client_of(tls, version)
        listener = Recorder()
        tls = type(tls)(server, client, tls.stranger, tls.ca_file, tls.cert_file)
        async with against_tls_peer(side, tls, listener) as (transport, peer):
            assert below(transport).get_extra_info("records") == records
            await peer.send_raw(WRONG[wrong](peer))
            peer.sock.shutdown(socket.SHUT_WR)
            await listener.until("disconnected")
            found.append(told(transport))
    assert found[0] == found[1]
    assert (found[0] is None) == (wrong in HARMLESS)


def told(transport: WSTransport) -> Any:
    """Return an exception, as far as it can be compared."""
    exc = transport.lost_exception
    if not isinstance(exc, ssl.SSLError):
        return exc and (type(exc), exc.args)
    return type(exc), exc.args, exc.library, exc.reason
