# The C interface of libwsframe for Cython: `from wsframe cimport cwsframe`.
#
# A module that cimports this links libwsframe itself: find_package(wsframe) under CMake, or
# wsframe.get_include() and wsframe.get_library() under setuptools. What each name does, its
# arguments and results are documented in the C headers, under the same names.

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "wsframe/wsframe.h" nogil:

    # -- version.h

    const unsigned WSF_ABI_VERSION

    unsigned wsf_abi_version()
    const char *wsf_version_string()

    # -- error.h

    ctypedef enum wsf_error:
        WSF_OK
        WSF_ERR_OPCODE
        WSF_ERR_RESERVED_BITS
        WSF_ERR_CONTROL_FRAGMENTED
        WSF_ERR_CONTROL_TOO_LONG
        WSF_ERR_LENGTH_TOP_BIT
        WSF_ERR_LENGTH_NOT_SHORTEST
        WSF_ERR_NOT_MASKED
        WSF_ERR_MASKED
        WSF_ERR_NO_MESSAGE
        WSF_ERR_INSIDE_MESSAGE
        WSF_ERR_CLOSE_SIZE
        WSF_ERR_CLOSE_CODE
        WSF_ERR_UTF8
        WSF_ERR_CLOSE_UTF8
        WSF_ERR_FRAME_TOO_BIG
        WSF_ERR_MESSAGE_TOO_BIG
        WSF_ERR_TOO_MANY_FRAGMENTS
        WSF_ERR_AFTER_CLOSE
        WSF_ERR_ARGUMENT
        WSF_ERR_UNSUPPORTED
        WSF_ERR_RANDOM

    uint16_t wsf_error_close_code(int error)
    const char *wsf_error_name(int error)
    const char *wsf_error_text(int error)

    # -- header.h

    ctypedef enum wsf_opcode:
        WSF_OP_CONTINUATION
        WSF_OP_TEXT
        WSF_OP_BINARY
        WSF_OP_CLOSE
        WSF_OP_PING
        WSF_OP_PONG

    enum:
        WSF_RSV1
        WSF_RSV2
        WSF_RSV3
        WSF_MAX_HEADER_SIZE
        WSF_MAX_CONTROL_SIZE

    ctypedef struct wsf_header:
        uint64_t payload_size
        uint8_t opcode
        uint8_t fin
        uint8_t rsv
        uint8_t masked
        uint8_t mask_key[4]

    int wsf_header_decode(wsf_header *out, const uint8_t *data, size_t size)
    size_t wsf_header_size(uint64_t payload_size, bint masked)
    size_t wsf_header_encode(uint8_t *out, const wsf_header *header)
    uint8_t *wsf_header_encode_before(uint8_t *payload, const wsf_header *header)
    size_t wsf_frame_encode(uint8_t *out, const wsf_header *header, const uint8_t *payload)

    # -- mask.h

    ctypedef enum wsf_mask_variant:
        WSF_MASK_AUTO
        WSF_MASK_SCALAR
        WSF_MASK_SSE2
        WSF_MASK_AVX2
        WSF_MASK_AVX512
        WSF_MASK_NEON

    enum:
        WSF_MASK_VARIANTS

    void wsf_mask(uint8_t *data, size_t size, const uint8_t *key, size_t phase)
    void wsf_mask_copy(uint8_t *dst, const uint8_t *src, size_t size, const uint8_t *key,
                       size_t phase)
    int wsf_mask_use(int variant)
    bint wsf_mask_variant_supported(int variant)
    int wsf_mask_variant_in_use()
    const char *wsf_mask_variant_name(int variant)

    # -- utf8.h

    ctypedef struct wsf_utf8:
        pass

    void wsf_utf8_init(wsf_utf8 *validator)
    size_t wsf_utf8_feed(wsf_utf8 *validator, const uint8_t *data, size_t size)
    bint wsf_utf8_finish(const wsf_utf8 *validator)
    bint wsf_utf8_valid(const uint8_t *data, size_t size)

    # -- close.h

    ctypedef enum wsf_close_code:
        WSF_CLOSE_NORMAL
        WSF_CLOSE_GOING_AWAY
        WSF_CLOSE_PROTOCOL_ERROR
        WSF_CLOSE_UNSUPPORTED_DATA
        WSF_CLOSE_NO_STATUS
        WSF_CLOSE_ABNORMAL
        WSF_CLOSE_INVALID_DATA
        WSF_CLOSE_POLICY_VIOLATION
        WSF_CLOSE_TOO_BIG
        WSF_CLOSE_MANDATORY_EXTENSION
        WSF_CLOSE_INTERNAL_ERROR
        WSF_CLOSE_SERVICE_RESTART
        WSF_CLOSE_TRY_AGAIN_LATER
        WSF_CLOSE_BAD_GATEWAY
        WSF_CLOSE_TLS_HANDSHAKE

    enum:
        WSF_MAX_CLOSE_REASON_SIZE

    ctypedef struct wsf_close:
        const uint8_t *reason
        size_t reason_size
        uint16_t code

    bint wsf_close_code_valid(uint32_t code)
    int wsf_close_decode(wsf_close *out, const uint8_t *payload, size_t size)
    int wsf_close_encode(uint8_t *out, uint32_t code, const uint8_t *reason, size_t reason_size)

    # -- random.h

    ctypedef int (*wsf_random_source)(void *context, uint8_t *out, size_t size) noexcept nogil

    int wsf_mask_key(uint8_t *key)
    void wsf_set_random_source(wsf_random_source source, void *context)

    # -- parser.h

    ctypedef enum wsf_role:
        WSF_ROLE_CLIENT
        WSF_ROLE_SERVER

    ctypedef enum wsf_mode:
        WSF_MODE_WHOLE
        WSF_MODE_STREAM

    enum:
        WSF_NEED_MORE
        WSF_FRAME

    ctypedef struct wsf_parser_config:
        uint64_t max_frame_size
        uint64_t max_message_size
        uint32_t max_fragments
        uint8_t role
        uint8_t mode
        uint8_t rsv_allowed
        uint8_t rsv_continuation
        uint8_t check_utf8

    ctypedef struct wsf_frame:
        uint8_t *payload
        size_t payload_size
        uint64_t frame_size
        uint64_t offset
        uint8_t opcode
        uint8_t message_opcode
        uint8_t fin
        uint8_t rsv
        uint8_t message_rsv
        uint8_t first
        uint8_t last
        uint16_t close_code

    ctypedef struct wsf_parser:
        pass

    int wsf_parser_init(wsf_parser *parser, const wsf_parser_config *config)
    int wsf_parser_next(wsf_parser *parser, uint8_t *data, size_t size, size_t *consumed,
                        wsf_frame *frame)
    uint64_t wsf_parser_payload_size(const wsf_parser *parser)
    uint64_t wsf_parser_missing(const wsf_parser *parser)
    bint wsf_parser_closed(const wsf_parser *parser)
    int wsf_parser_error(const wsf_parser *parser)
    uint64_t wsf_parser_error_offset(const wsf_parser *parser)
