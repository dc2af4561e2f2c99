# One function on the C interface: a masked frame.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from wsframe cimport cwsframe as c


def masked_frame(payload: bytes, key: bytes) -> bytes:
    cdef c.wsf_header header
    header.payload_size = len(payload)
    header.opcode = c.WSF_OP_BINARY
    header.fin = 1
    header.rsv = 0
    header.masked = 1
    memcpy(header.mask_key, <char *>key, 4)
    size = c.wsf_header_size(header.payload_size, True) + len(payload)
    frame = PyBytes_FromStringAndSize(NULL, size)
    c.wsf_frame_encode(<uint8_t *>PyBytes_AS_STRING(frame), &header, <uint8_t *><char *>payload)
    return frame
