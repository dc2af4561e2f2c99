# Teaches gdb Cython: `gdb -x docs/development/cython.gdb --args .nox/dev/bin/python …`, from the top of
# the repository, after `nox -s dev -- Debug`. It is what Cython's own command `cygdb` would do; that of
# Cython 3.3.1 writes a start file with a syntax error.
set breakpoint pending on
python
import glob
import sys
sys.path[:0] = glob.glob(".nox/dev/lib/python*/site-packages")
from Cython.Debugger import libcython, libpython
for file in glob.glob(".cache/build/dev/Debug/*/cython_debug/cython_debug_info_*"):
    gdb.execute("cy import " + file)
end
