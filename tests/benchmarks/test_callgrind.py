"""Reading what callgrind has counted: its own cost of each object, calls not included."""

from pathlib import Path

from benchmarks.instructions.callgrind import read

# Two objects; the call from the first one into the second costs 900, which is the second's.
COUNTED = """\
version: 1
creator: callgrind-3.19.0
positions: line
events: Ir

ob=(1) /usr/lib/libpython.so
fl=(1) ceval.c
fn=(1) eval
10 100
+2 20
cob=(2) /site/wscore/frame.so
cfn=(2) parse
calls=3 0
+1 900
-3 1

ob=(2)
fl=(2) frame.c
fn=(2)
0 450
* 450

totals: 1021
"""


def test_costs_are_those_of_the_object_itself(tmp_path: Path) -> None:
    path = tmp_path / "counted.2"
    path.write_text(COUNTED)
    assert read(path) == {"/usr/lib/libpython.so": 121, "/site/wscore/frame.so": 900}
