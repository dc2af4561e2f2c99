"""Keys, masks and addresses are those of websockets."""

import base64
import email.utils
import socket

import pytest

from tests.wscompat.sansio import WEBSOCKETS, WSCOMPAT
from wscompat.utils import http_date


def test_keys() -> None:
    key = WSCOMPAT.utils.generate_key()
    assert len(base64.b64decode(key, validate=True)) == 16
    assert key != WSCOMPAT.utils.generate_key()
    assert WSCOMPAT.utils.accept_key(key) == WEBSOCKETS.utils.accept_key(key)
    # The example of RFC 6455, 1.3.
    assert WSCOMPAT.utils.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("data", [b"", b"abc", bytearray(b"abcdefghij"), memoryview(b"abc")])
def test_apply_mask(data: bytes) -> None:
    expected = WEBSOCKETS.utils.apply_mask(data, b"1234")
    assert WSCOMPAT.utils.apply_mask(data, b"1234") == expected
    assert WSCOMPAT.utils.apply_mask(data, bytearray(b"1234")) == expected
    for library in (WSCOMPAT, WEBSOCKETS):
        with pytest.raises(ValueError, match="mask must contain 4 bytes"):
            library.utils.apply_mask(data, b"123")


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0))],
)
def test_socket_name(family: int, address: tuple[str, int]) -> None:
    with socket.socket(family) as sock:
        sock.bind(address)
        expected = WEBSOCKETS.utils.get_socket_name(sock)
        assert WSCOMPAT.utils.get_socket_name(sock) == expected


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
def test_unix_socket_name() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        assert WSCOMPAT.utils.get_socket_name(sock) == WEBSOCKETS.utils.get_socket_name(sock) == ""


def test_date() -> None:
    before = email.utils.formatdate(usegmt=True)
    dates = {http_date(), http_date()}
    after = email.utils.formatdate(usegmt=True)
    assert dates <= {before, after}
