"""`install`, each time in a fresh process: the real websockets is imported in this one."""

import pkgutil
import subprocess
import sys
import textwrap
import warnings

import pytest
import websockets

# Parts of websockets for which there is something else.
ELSEWHERE = ("sync", "trio")
# Modules that only websockets itself has a use for.
MISSING = {"websockets.imports", "websockets.asyncio.messages", "websockets.speedups"}


def run(program: str) -> None:
    """Run a program that must succeed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=30, check=False)
    assert result.returncode == 0, result.stderr


def test_modules_are_the_same() -> None:
    run(
        """
        import sys
        import wscompat
        wscompat.install()
        wscompat.install()
        import websockets
        import websockets.asyncio.client
        from websockets.asyncio.server import serve
        from websockets import ConnectionClosed, connect
        from websockets.frames import CloseCode
        import wscompat.asyncio.server, wscompat.exceptions
        assert websockets is wscompat
        assert connect is wscompat.asyncio.client.connect
        assert serve is wscompat.asyncio.server.serve
        assert ConnectionClosed is wscompat.exceptions.ConnectionClosed
        for name, module in list(sys.modules.items()):
            if name.startswith("wscompat"):
                assert module.__name__ == module.__spec__.name == name, name
        """
    )


def test_version() -> None:
    """Libraries choose features by it, and expect the version of websockets."""
    run(
        """
        import wscompat, wscompat.version
        own = wscompat.__version__
        assert own == wscompat.version.version
        wscompat.install()
        from websockets import __version__
        assert __version__ == wscompat.version.model > "17"
        wscompat.uninstall()
        assert wscompat.__version__ == own
        """
    )


def test_a_program_for_websockets_runs() -> None:
    run(
        """
        import wscompat
        wscompat.install()

        import asyncio
        import websockets
        from websockets.asyncio.server import serve

        async def echo(websocket):
            assert type(websocket).__module__ == "wscompat.asyncio.server"
            async for message in websocket:
                await websocket.send(message)

        async def main():
            async with serve(echo, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                async with websockets.connect(f"ws://127.0.0.1:{port}", proxy=None) as websocket:
                    await websocket.send("x")
                    assert await websocket.recv() == "x"
                    server.close()
                    try:
                        await websocket.recv()
                    except websockets.exceptions.ConnectionClosedOK as exc:
                        assert exc.rcvd.code == 1001

        asyncio.run(asyncio.wait_for(main(), 20))
        """
    )


@pytest.mark.parametrize("module", ["sync", "sync.client", "trio.client"])
def test_what_is_not_there_says_what_is(module: str) -> None:
    run(
        f"""
        import wscompat
        wscompat.install()
        try:
            import websockets.{module}
        except ImportError as exc:
            assert "wscompat has no websockets.{module.partition(".")[0]}" in str(exc), exc
            assert "use wscompat.asyncio" in str(exc), exc
        else:
            raise AssertionError
        """
    )


def test_an_unknown_module() -> None:
    run(
        """
        import wscompat
        wscompat.install()
        try:
            import websockets.nonsense
        except ModuleNotFoundError as exc:
            assert exc.name == "websockets.nonsense"
        else:
            raise AssertionError
        """
    )


def test_too_late() -> None:
    run(
        """
        import websockets
        import wscompat
        try:
            wscompat.install()
        except RuntimeError as exc:
            assert "already imported" in str(exc)
        else:
            raise AssertionError
        """
    )


def test_uninstall() -> None:
    run(
        """
        import wscompat
        wscompat.uninstall()
        wscompat.install()
        import websockets.asyncio.client as ours
        wscompat.uninstall()
        import websockets.asyncio.client as real
        assert ours.__name__ == "wscompat.asyncio.client"
        assert real.__name__ == "websockets.asyncio.client"
        import websockets
        assert websockets.__name__ == "websockets"
        """
    )


def test_every_module_of_websockets_is_ours_or_says_no() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated
        names = [found.name for found in pkgutil.walk_packages(websockets.__path__, "websockets.")]
    run(
        f"""
        import importlib, sys, warnings
        import wscompat
        wscompat.install()
        warnings.simplefilter("ignore", DeprecationWarning)
        for name in {names}:
            try:
                module = importlib.import_module(name)
            except ImportError as exc:
                assert str(exc).startswith("wscompat has no websockets."), exc
                part = name.split(".")[1]
                assert part in {ELSEWHERE} or name in {sorted(MISSING)}, name
                assert name not in sys.modules
            else:
                assert module.__name__ == name.replace("websockets", "wscompat", 1), name
        """
    )


def test_wscompat_never_imports_websockets() -> None:
    run(
        """
        import importlib, pkgutil, sys, warnings
        sys.modules["websockets"] = None  # an import of it fails
        warnings.simplefilter("ignore", DeprecationWarning)
        import wscompat
        for found in pkgutil.walk_packages(wscompat.__path__, "wscompat."):
            importlib.import_module(found.name)
        for name in wscompat.__all__:
            getattr(wscompat, name)
        """
    )
