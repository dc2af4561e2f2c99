"""A network link that loses packets, as its seed says, between two network namespaces.

Each namespace has one end, a tun device; the packets between them go through a process of ours, so
that any kernel with tun devices will do, whatever queueing disciplines it has. The namespaces have
no names: they are gone with the last process that uses them, and the devices with the link's.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import random
import socket
import struct
import subprocess
import sys
from pathlib import Path

__all__ = ["CLIENT_ADDRESS", "SERVER_ADDRESS", "Link", "enter"]

SERVER_ADDRESS = "10.213.77.1"
CLIENT_ADDRESS = "10.213.77.2"
MTU = 1500

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x1001
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFFLAGS, _SIOCSIFTXQLEN = 0x8916, 0x891C, 0x8914, 0x8943
_IFF_UP = 1
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: int) -> None:
    """Move this thread into a network namespace, given a descriptor of it."""
    _check(_libc.setns(namespace, _CLONE_NEWNET))


class Link:
    """Both namespaces, and the process between them.

    Args:
        seed: says which packets are lost.
        listen: how many sockets to have listening at the server's end.

    Raises:
        OSError: where this is not allowed, or the system has no tun devices.
    """

    def __init__(self, seed: int, listen: int) -> None:
        home = _current_namespace()
        self._open: list[int] = [home]
        try:
            server, self.listening = self._make_end(SERVER_ADDRESS, listen)
            client, _ = self._make_end(CLIENT_ADDRESS, 0)
            self.client_namespace = self._open[-2]
        except OSError:
            enter(home)
            self._close_descriptors()
            raise
        enter(home)
        command = [sys.executable, "-m", "tests.campaign.link", str(server), str(client), str(seed)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=(server, client), text=True
        )

    def set(self, loss: float) -> None:
        """Lose this share of the packets from now on; 1 for a link that is dead."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{loss}\n")
        self._process.stdin.flush()

    def cut(self) -> None:
        """Carry nothing more; when this returns nothing is on its way."""
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def close(self) -> None:
        """Remove all of it."""
        self.cut()
        for listening in self.listening:
            listening.close()
        self._close_descriptors()

    def _make_end(self, address: str, listen: int) -> tuple[int, list[socket.socket]]:
        """Make a namespace, go there, and make its end of the link."""
        _check(_libc.unshare(_CLONE_NEWNET))
        self._open.append(_current_namespace())
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self._open.append(device)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"campaign", _IFF_TUN_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            _set_address(control, _SIOCSIFADDR, address)
            _set_address(control, _SIOCSIFNETMASK, "255.255.255.0")
            fcntl.ioctl(control, _SIOCSIFTXQLEN, struct.pack("16si20x", b"campaign", 1000))
            for name in (b"campaign", b"lo"):
                fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name, _IFF_UP))
        sockets = [socket.create_server((address, 0), backlog=500) for _ in range(listen)]
        return device, sockets

    def _close_descriptors(self) -> None:
        for number in self._open:
            os.close(number)
        self._open.clear()


def _current_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _set_address(control: socket.socket, request: int, address: str) -> None:
    content = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    fcntl.ioctl(control, request, struct.pack("16s16s8x", b"campaign", content))


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Wire:
    """The process between both ends: carries packets over, or does not.

    Args:
        ends: the devices.
        seed: says which packets are lost.
    """

    def __init__(self, ends: tuple[int, int], seed: int) -> None:
        self.loss = 0.0
        self._rng = random.Random(seed)
        loop = asyncio.get_running_loop()
        for source, target in (ends, ends[::-1]):
            loop.add_reader(source, self._carry, source, target)

    def _carry(self, source: int, target: int) -> None:
        for _ in range(64):
            try:
                packet = os.read(source, MTU + 100)
            except BlockingIOError:
                return
            if self._rng.random() >= self.loss:
                # What a full queue does not take is lost, as anywhere.
                with contextlib.suppress(OSError):
                    os.write(target, packet)


async def carry(ends: tuple[int, int], seed: int) -> None:
    """Carry packets until stdin ends; a line there is a new share of losses."""
    wire = Wire(ends, seed)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        wire.loss = float(line)


def available() -> str:
    """Return why there can be no such link here; empty if there can."""
    if os.name != "posix" or not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return ""


if __name__ == "__main__":
    asyncio.run(carry((int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3])))
