"""Conformance: wscore and wscompat against programs that others wrote to judge it, or to use it.

These tests need programs from outside: the Autobahn test suite, browsers, Node.
`nox -s conformance` prepares and runs them.
"""
