"""The benchmark of the WebSocket libraries: one interleaved run, both ends on one machine.

`python -m benchmarks.bench --help`, or `nox -s bench -- --help`, says what can be chosen. Nothing
here is part of a package.
"""
