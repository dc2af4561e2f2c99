"""Every client talks with every server: a demonstration to run, and the same pairs as tests.

A peer is one library with a client and an echo server behind the interface of `endpoints`. The
packages under test and the published libraries they are compared with are peers of equal rank:
nothing here may treat one of them better than another.
"""

__all__: list[str] = []
