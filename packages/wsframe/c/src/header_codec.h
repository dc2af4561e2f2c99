/*
 * The header decoder and encoder as inline functions, for header.c and the parser's hot path.
 * The layout of a header must be used only here.
 */
#ifndef WSF_HEADER_CODEC_H
#define WSF_HEADER_CODEC_H

#include "platform.h"
#include "wsframe/error.h"
#include "wsframe/header.h"

#define WSF_FIN_BIT 0x80u
#define WSF_MASK_BIT 0x80u

/* Bit n is set if n is an opcode: 0, 1, 2, 8, 9, 10. */
#define WSF_KNOWN_OPCODES 0x0707u

WSF_INLINE bool wsf_is_control(uint8_t opcode) {
    return (opcode & 8u) != 0;
}

WSF_INLINE uint64_t wsf_get_be64(const uint8_t *p) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

/* Errors that the first two bytes reveal. */
WSF_INLINE int wsf_check_start(uint8_t opcode, bool fin, unsigned length) {
    if (!(WSF_KNOWN_OPCODES >> opcode & 1u)) {
        return WSF_ERR_OPCODE;
    }
    if (WSF_UNLIKELY(wsf_is_control(opcode))) {
        if (!fin) {
            return WSF_ERR_CONTROL_FRAGMENTED;
        }
        if (length > WSF_MAX_CONTROL_SIZE) {
            return WSF_ERR_CONTROL_TOO_LONG;
        }
    }
    return WSF_OK;
}

/* Contract of wsf_header_decode(). */
WSF_INLINE int wsf_decode(wsf_header *out, const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    uint8_t start = data[0];
    unsigned length = data[1] & 0x7Fu;
    bool masked = (data[1] & WSF_MASK_BIT) != 0;
    int error = wsf_check_start(start & 0x0Fu, (start & WSF_FIN_BIT) != 0, length);
    if (WSF_UNLIKELY(error)) {
        return error;
    }
    size_t key_at = length < 126 ? 2 : length == 126 ? 4 : 10;
    size_t total = key_at + (masked ? 4 : 0);
    if (WSF_UNLIKELY(size < total)) {
        return 0;
    }
    uint64_t payload_size = length;
    if (length == 126) {
        payload_size = (uint64_t)data[2] << 8 | data[3];
        if (payload_size < 126) {
            return WSF_ERR_LENGTH_NOT_SHORTEST;
        }
    } else if (length == 127) {
        payload_size = wsf_get_be64(data + 2);
        if (payload_size >> 63) {
            return WSF_ERR_LENGTH_TOP_BIT;
        }
        if (payload_size <= 0xFFFF) {
            return WSF_ERR_LENGTH_NOT_SHORTEST;
        }
    }
    out->payload_size = payload_size;
    out->opcode = start & 0x0Fu;
    out->fin = start >> 7;
    out->rsv = start >> 4 & 7u;
    out->masked = masked;
    if (masked) {
        memcpy(out->mask_key, data + key_at, 4);
    } else {
        memset(out->mask_key, 0, 4);
    }
    return (int)total;
}

/* Contract of wsf_header_size(). */
WSF_INLINE size_t wsf_size(uint64_t payload_size, bool masked) {
    size_t size = payload_size < 126 ? 2 : payload_size <= 0xFFFF ? 4 : 10;
    return size + (masked ? 4 : 0);
}

/* Contract of wsf_header_encode(). */
WSF_INLINE size_t wsf_encode(uint8_t *out, const wsf_header *header) {
    uint8_t mask_bit = header->masked ? WSF_MASK_BIT : 0;
    uint64_t payload_size = header->payload_size;
    size_t at = 2;
    out[0] = (uint8_t)((header->fin ? WSF_FIN_BIT : 0) | (header->rsv & 7u) << 4 |
                       (header->opcode & 0x0Fu));
    if (payload_size < 126) {
        out[1] = (uint8_t)(mask_bit | payload_size);
    } else if (payload_size <= 0xFFFF) {
        out[1] = mask_bit | 126;
        out[2] = (uint8_t)(payload_size >> 8);
        out[3] = (uint8_t)payload_size;
        at = 4;
    } else {
        out[1] = mask_bit | 127;
        for (int i = 0; i < 8; i++) {
            out[2 + i] = (uint8_t)(payload_size >> (56 - 8 * i));
        }
        at = 10;
    }
    if (header->masked) {
        memcpy(out + at, header->mask_key, 4);
        at += 4;
    }
    return at;
}

#endif
