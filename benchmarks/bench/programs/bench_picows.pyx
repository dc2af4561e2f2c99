# cython: language_level=3
"""The listeners of the benchmark in Cython, on picows."""

from picows.picows cimport WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

include "listeners.pxi"
