# One function on the C interface: the payload of the first frame in some bytes.

from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as c


def first_payload(data: bytearray) -> bytes:
    cdef c.wsf_parser_config config
    cdef c.wsf_parser parser
    cdef c.wsf_frame frame
    cdef size_t consumed = 0
    cdef uint8_t[::1] view = data
    config.role = c.WSF_ROLE_SERVER
    config.mode = c.WSF_MODE_WHOLE
    config.rsv_allowed = config.rsv_continuation = 0
    config.check_utf8 = 1
    config.max_frame_size = config.max_message_size = config.max_fragments = 0
    assert c.wsf_abi_version() == c.WSF_ABI_VERSION
    assert c.wsf_parser_init(&parser, &config) == c.WSF_OK
    cdef int result = c.wsf_parser_next(&parser, &view[0], len(data), &consumed, &frame)
    if result != c.WSF_FRAME:
        raise ValueError(c.wsf_error_text(result).decode())
    return (<char *>frame.payload)[: frame.payload_size]
