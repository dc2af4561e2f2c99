"""The costs that one connection may cause to others, and the promises about data, as a matrix.

`rows` has the cases, each with its bound and the interfaces that it is tested on; the page "What a
connection may cost" shows the same table. `peer` is the other end, `ends` are ours, one class for
each interface, and the tests are written once for all of them.
"""
