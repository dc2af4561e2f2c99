"""The latency of a polite connection while others flood the server, as percentiles.

    python -m benchmarks.fairness --quick       # three minutes

`polite` and `flood` are programs that use bare sockets, `server` is the measured one; each runs in
its own process. Rates are measured by `benchmarks.bench`.
"""
