/**
 * @file
 * Frame headers: a stateless codec (RFC 6455, 5.2).
 *
 * It handles single headers. Rules that span frames (roles, fragments, limits) are checked by
 * wsframe/parser.h.
 */
#ifndef WSFRAME_HEADER_H
#define WSFRAME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"

/** The six opcodes of RFC 6455, 11.8. */
typedef enum wsf_opcode {
    WSF_OP_CONTINUATION = 0,
    WSF_OP_TEXT = 1,
    WSF_OP_BINARY = 2,
    WSF_OP_CLOSE = 8,
    WSF_OP_PING = 9,
    WSF_OP_PONG = 10
} wsf_opcode;

/** The first reserved bit, as in wsf_header::rsv; permessage-deflate uses it. */
#define WSF_RSV1 4
/** The second reserved bit. */
#define WSF_RSV2 2
/** The third reserved bit. */
#define WSF_RSV3 1

/** The longest header: 2 bytes, 8 of extended length, 4 of masking key. */
#define WSF_MAX_HEADER_SIZE 14

/** The largest payload of a control frame (RFC 6455, 5.5). */
#define WSF_MAX_CONTROL_SIZE 125

/** A frame header. */
typedef struct wsf_header {
    uint64_t payload_size; /**< Bytes of payload, below 2^63. */
    uint8_t opcode;        /**< One of #wsf_opcode. */
    uint8_t fin;           /**< 1 in the last frame of a message, else 0. */
    uint8_t rsv;           /**< #WSF_RSV1 | #WSF_RSV2 | #WSF_RSV3. */
    uint8_t masked;        /**< 1 if the payload is masked, else 0. */
    uint8_t mask_key[4];   /**< The key, in wire order; zeros if not masked. */
} wsf_header;

WSF_BEGIN_DECLS

/**
 * Decode the header at the start of `data`.
 * Checks everything that can be checked in a single header: the first two bytes as soon as they
 * have arrived, the length as soon as the header is complete. Reserved bits are not checked.
 *
 * @param out   receives the header; written only if the result is positive. Owned by the caller.
 * @param data  received bytes; only read. May be NULL if size is 0.
 * @param size  how many bytes there are at data.
 * @return 2 to 14, the size of the header, on success;
 *         0 if more bytes are needed;
 *         #WSF_ERR_OPCODE, #WSF_ERR_CONTROL_FRAGMENTED, #WSF_ERR_CONTROL_TOO_LONG,
 *         #WSF_ERR_LENGTH_TOP_BIT or #WSF_ERR_LENGTH_NOT_SHORTEST.
 */
WSF_API int wsf_header_decode(wsf_header *out, const uint8_t *data, size_t size);

/** Return the size of the header for a payload.
 *
 * @param payload_size  bytes of payload, below 2^63.
 * @param masked        whether the header has a masking key.
 * @return 2, 4, 6, 8, 10 or 14.
 */
WSF_API size_t wsf_header_size(uint64_t payload_size, bool masked);

/**
 * Encode a header at `out`.
 * The header is written as given: opcode and reserved bits are not checked. Any non-zero fin or
 * masked counts as 1; mask_key is read only if masked is set.
 *
 * @param out     at least wsf_header_size() bytes; #WSF_MAX_HEADER_SIZE always suffices.
 * @param header  the header to write; opcode below 16, rsv below 8, payload_size below 2^63.
 * @return the number of bytes written, equal to wsf_header_size().
 */
WSF_API size_t wsf_header_encode(uint8_t *out, const wsf_header *header);

/**
 * Encode a header so that it ends where a payload already in place begins.
 *
 * @param payload  start of the payload; wsf_header_size() bytes in front of it are overwritten.
 * @param header   as for wsf_header_encode().
 * @return the start of the header, and so of the frame.
 */
WSF_API uint8_t *wsf_header_encode_before(uint8_t *payload, const wsf_header *header);

/** Encode a whole frame: the header, then the payload, masked if the header says so.
 *
 * @param out      wsf_header_size() + payload_size bytes; must not overlap payload, except that
 *                 payload may already be in place, directly after the header.
 * @param header   as for wsf_header_encode().
 * @param payload  header->payload_size bytes; only read. May be NULL if that is 0.
 * @return the number of bytes written.
 */
WSF_API size_t wsf_frame_encode(uint8_t *out, const wsf_header *header, const uint8_t *payload);

WSF_END_DECLS

#endif
