"""A guard against lost speed that no clock is part of: instructions counted by callgrind.

`python -m benchmarks.instructions`, or `nox -s instructions`, compares them with `expected.json`.
"""
