/* Frame headers: the exported functions of header_codec.h, and whole frames.
 *
 * It keeps no state and checks only single headers.
 */
#include "wsframe/header.h"

#include "header_codec.h"
#include "wsframe/mask.h"

int wsf_header_decode(wsf_header *out, const uint8_t *data, size_t size) {
    return wsf_decode(out, data, size);
}

size_t wsf_header_size(uint64_t payload_size, bool masked) {
    return wsf_size(payload_size, masked);
}

size_t wsf_header_encode(uint8_t *out, const wsf_header *header) {
    return wsf_encode(out, header);
}

uint8_t *wsf_header_encode_before(uint8_t *payload, const wsf_header *header) {
    uint8_t *start = payload - wsf_size(header->payload_size, header->masked != 0);
    wsf_encode(start, header);
    return start;
}

size_t wsf_frame_encode(uint8_t *out, const wsf_header *header, const uint8_t *payload) {
    size_t at = wsf_encode(out, header);
    size_t size = (size_t)header->payload_size;
    if (header->masked) {
        wsf_mask_copy(out + at, payload, size, header->mask_key, 0);
    } else if (size != 0 && payload != out + at) {
        memcpy(out + at, payload, size);
    }
    return at + size;
}
