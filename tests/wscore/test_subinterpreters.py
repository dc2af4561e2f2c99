"""In a second interpreter of a process the import works or is refused, but does not crash."""

import subprocess
import sys

import pytest

PROGRAM = """
import importlib, sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

MODULES = ["wsframe", "wscore", "wscore.messages.message_reader", "wscore.tls.tls_transport"]
CODE = '''
try:
    import {module}
except ImportError as exc:
    print("refused:", exc)
else:
    print("imported")
'''

def import_all():
    for module in MODULES:
        try:
            importlib.import_module(module)
        except ImportError as exc:
            print("refused:", exc)

def import_all_in_another():
    for module in MODULES:
        other = interpreters.create()
        interpreters.run_string(other, CODE.format(module=module))
        interpreters.destroy(other)

order = [import_all, import_all_in_another]
for step in order if sys.argv[1] == "second" else reversed(order):
    step()
import_all_in_another()
if sys.argv[1] == "second":
    import asyncio, wscore

    async def main():
        server = await wscore.ws_create_server(lambda _: wscore.WSListener(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await wscore.ws_connect(wscore.WSListener, f"ws://127.0.0.1:{port}/")
        transport.disconnect()
        await transport.wait_disconnected()
        server.close()

    asyncio.run(main())
print("survived")
"""


@pytest.mark.parametrize("place", ["first", "second"])
def test_another_interpreter(place: str) -> None:
    """It imports before or after the main one; the main one works in the second case."""
    program = [sys.executable, "-X", "faulthandler", "-c", PROGRAM, place]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("survived\n"), done.stderr
