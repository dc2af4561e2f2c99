"""Run in an environment where only wsframe was installed: frames a message and reads it back."""

from importlib.util import find_spec

import wsframe

for above in ("wscore", "wsproxy", "wscompat"):
    assert find_spec(above) is None, f"{above} came along"

MESSAGE = "grüße".encode()

wire = wsframe.build_frame(wsframe.Opcode.TEXT, MESSAGE, mask=True)
assert MESSAGE not in wire
parser = wsframe.FrameParser(wsframe.Role.SERVER)
(frame,) = parser.feed(wire)
assert (frame.opcode, bytes(frame.payload), frame.fin) == (wsframe.Opcode.TEXT, MESSAGE, True)
print(f"wsframe {wsframe.__version__} alone: ok")
