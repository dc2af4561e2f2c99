# cython: language_level=3
"""The listeners of the benchmark in Cython, on wscore."""

from wscore cimport WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

include "listeners.pxi"
