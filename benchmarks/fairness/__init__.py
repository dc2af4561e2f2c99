"""How long a polite connection waits while others flood the server: percentiles of latency.

    python -m benchmarks.fairness --quick       # three minutes

`polite` and `flood` are programs of sockets and bytes, `server` is the one that is measured, each a
process of its own. Rates are the business of `benchmarks.bench`.
"""
