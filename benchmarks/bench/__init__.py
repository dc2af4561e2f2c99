"""The benchmark of the WebSocket libraries: one interleaved run, both endpoints on one machine.

`python -m benchmarks.bench --help`, or `nox -s bench -- --help`, lists the options. Nothing here is
part of a package.
"""
