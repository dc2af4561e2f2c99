"""Building the Cython example against the installed wscore, as its reader would, and running it.

The example is copied first: the build sees the installed packages, and none of their sources.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import PATIENCE, ROOT, server

EXAMPLE = ROOT / "examples"
ROUNDS = 1000

USE = """
import asyncio
import {loop}
import echo_client_cython
{loop}.run(echo_client_cython.main({url!r}, {rounds}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the module was built."""
    folder = tmp_path_factory.mktemp("example")
    for name in ("setup.py", "echo_client_cython.pyx"):
        shutil.copy(EXAMPLE / name, folder)
    done = subprocess.run(
        [sys.executable, folder / "setup.py", "build_ext", "--inplace"],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "CFLAGS": "-O0"},  # quicker to build
        timeout=50,
    )
    assert done.returncode == 0, done.stdout
    return folder


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_every_message_comes_back(built: Path, loop: str) -> None:
    with server("examples/wscore/echo_server.py", 0, loop=loop) as url:
        program = USE.format(loop=loop, url=url, rounds=ROUNDS)
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program],
            cwd=built,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            timeout=PATIENCE,
        )
    assert re.match(rf"{ROUNDS} of {ROUNDS} messages came back as they were sent, ", done.stdout)


OVERRIDING = """
# cython: language_level=3
from wscore cimport WSFrame, WSListener, WSMsgType, WSTransport

cdef class Listener(WSListener):
    cpdef on_ws_connected(self, WSTransport transport):
        pass
    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        pass
    cpdef on_ws_disconnected(self, WSTransport transport):
        pass
    cpdef send_user_specific_ping(self, WSTransport transport):
        transport.send_ping(b"own")
    cpdef is_user_specific_pong(self, WSFrame frame):
        return frame.msg_type == WSMsgType.PONG and frame.payload_size == 3
    cpdef pause_writing(self):
        pass
    cpdef resume_writing(self):
        pass
"""


def test_every_callback_is_overridden_as_in_picows(tmp_path: Path) -> None:
    """A listener's declarations in Cython are those that programs have for picows."""
    source = tmp_path / "overriding.pyx"
    source.write_text(OVERRIDING, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cython", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout
