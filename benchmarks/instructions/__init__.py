"""A check for lost speed that does not depend on a clock: instructions counted by callgrind.

`python -m benchmarks.instructions`, or `nox -s instructions`, compares them with `expected.json`.
"""
