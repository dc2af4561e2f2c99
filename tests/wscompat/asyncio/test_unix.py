"""Unix sockets: what is replaced, what is not, and that a failure leaves nothing open."""

from pathlib import Path

import pytest

from wscompat.asyncio.unix import bound_socket, connected_socket


async def test_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound_socket(path) as listener:
        listener.listen()
        with await connected_socket(str(path)) as client:
            accepted, _ = listener.accept()
            with accepted:
                client.send(b"x")
                assert accepted.recv(1) == b"x"


async def test_a_socket_that_was_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    bound_socket(path).close()
    assert path.is_socket()
    with bound_socket(path) as listener:
        listener.listen()
        (await connected_socket(path)).close()


async def test_another_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("keep me")
    with pytest.raises(OSError):
        bound_socket(path)
    assert path.read_text() == "keep me"


async def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await connected_socket(tmp_path / "nothing")
