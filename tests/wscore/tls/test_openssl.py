"""OpenSSL is reached where `ssl` has it, only for what `ssl` has made, or not at all."""

import asyncio
import os
import ssl
import subprocess
import sys
import threading

import pytest

from tests.support.skips import shared_openssl
from tests.support.tls import Tls
from tests.wscore.servers import LOOPBACK, serving
from tests.wscore.tls_peer import below, server_of, talk_tls
from wscore.tls.openssl import is_reachable

ASK = "from wscore.tls.openssl import is_reachable; print(is_reachable())"


def asked(*before: str, **environment: str) -> bool:
    """Return what a new process finds.

    Args:
        before: lines that it runs before it asks.
        environment: what it is told.
    """
    code = "\n".join([*before, ASK])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout == "True\n"


@shared_openssl
def test_here() -> None:
    assert is_reachable()
    assert asked()


@shared_openssl
def test_environment() -> None:
    assert not asked(WSCORE_TLS="ssl")
    assert asked(WSCORE_TLS="openssl")


@pytest.mark.parametrize(
    "difference",
    [
        "import ssl; ssl.OPENSSL_VERSION = 'LibreSSL 4.1.0'",
        "import _ssl; vars(_ssl).pop('__file__', '')",  # as if linked into the interpreter
        "import _ssl; _ssl.__file__ = '/nowhere'",
        # A library without OpenSSL. It is not one of Python's, which may be linked in, too.
        "import _ssl, wsframe.mask; _ssl.__file__ = wsframe.mask.__file__",
    ],
)
def test_interpreters_of_another_kind(difference: str) -> None:
    assert not asked(difference)


@shared_openssl
async def test_what_other_threads_make(tls: Tls) -> None:
    """Connections are not confused by it."""
    is_over = threading.Event()
    context = server_of(tls)

    def make() -> None:
        while not is_over.is_set():
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        async with serving(LOOPBACK, 0, ssl=tls.server) as server:
            for _ in range(20):
                assert below(await talk_tls(server, tls.client)).get_extra_info("records") == (
                    "openssl"
                )
    finally:
        is_over.set()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
