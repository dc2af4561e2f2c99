"""Runs a program on uvloop: the program's path and its arguments follow on the command line.

It makes the one change that the documentation tells its readers to make: `asyncio.run` becomes
`uvloop.run`. Nothing else is touched.
"""

import sys
from pathlib import Path

import uvloop

__all__: list[str] = []

if __name__ == "__main__":
    del sys.argv[0]
    program = Path(sys.argv[0])
    sys.path[0] = str(program.parent)
    source = program.read_text("utf-8").replace("asyncio.run(", "uvloop.run(")
    code = compile(source, program, "exec")
    exec(code, {"__name__": "__main__", "__file__": str(program), "uvloop": uvloop})
