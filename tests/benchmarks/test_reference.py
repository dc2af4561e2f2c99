"""The C program of the benchmark, built as the benchmark builds it: all it can do, for a blink.

How fast it is, is not looked at.
"""

import dataclasses
import socket
import sys
from collections.abc import Iterator

import pytest

import wsframe
from benchmarks.bench import build
from benchmarks.bench.cases import CASES, Case
from benchmarks.bench.contenders import REFERENCE
from benchmarks.bench.measuring import Place, Series, Subject, Visit, measure, usable_cores
from benchmarks.bench.payload import compressed_json
from benchmarks.bench.processes import Running
from tests.support.skips import lacking
from tests.support.tls import Tls

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason=lacking("epoll")),
    pytest.mark.skipif(
        bool(build.lacking("openssl/ssl.h", cxx=False)), reason="no headers of OpenSSL"
    ),
]

SUBJECT = Subject(REFERENCE, "")
LARGE = 20_000  # bytes of a payload that is read into memory of its connection's own


@pytest.fixture(scope="module")
def place(tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("reference")
    build.build_program("reference", folder)
    payload = folder / "payload.deflate"
    payload.write_bytes(compressed_json(4096))
    return Place(folder, folder, tls.cert_file, payload, usable_cores(), folder / "log")


def test_it_tells_what_it_is_built_on(place: Place) -> None:
    assert REFERENCE.versions(place.built) == {"wsframe": wsframe.__version__}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_it_does_every_case(case: Case, secure: bool, place: Place) -> None:
    case = dataclasses.replace(case, connections=min(case.connections, 20))
    for role in case.roles:
        (outcome,) = measure(
            Series(case, role, secure),
            [SUBJECT],
            place,
            rounds=1,
            seconds=0.02,
            idle=20,
            progress=lambda what: None,
        )
        assert isinstance(outcome, Visit), f"{outcome}\n{place.log.read_text()}"


@pytest.fixture
def server(place: Place) -> Iterator[Running]:
    running = Running(
        [*REFERENCE.command(place.built), "serve", "task=echo"],
        place.root,
        place.cores[0],
        place.log,
    )
    yield running
    running.stop()


def test_a_header_may_come_before_its_large_payload(server: Running) -> None:
    small = b"\x82\x81" + bytes(4) + b"!"
    header = b"\x82\xfe" + LARGE.to_bytes(2) + bytes(4)
    with socket.create_connection(("127.0.0.1", int(server.answer())), timeout=20) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        with client.makefile("rb") as received:
            assert received.readline().startswith(b"HTTP/1.1 101")
            while received.readline() != b"\r\n":
                pass
            client.sendall(small + header)
            assert received.read(3) == b"\x82\x01!"
            # So the header has been read, too.
            client.sendall(b"x" * LARGE)
            assert received.read(4 + LARGE) == b"\x82\x7e" + LARGE.to_bytes(2) + b"x" * LARGE
