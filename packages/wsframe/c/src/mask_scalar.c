/*
 * Masking in plain C, eight bytes at a time. Contract: mask_kernels.h.
 */
#include "mask_kernels.h"

void wsf_mask_scalar(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    uint64_t pair = (uint64_t)key << 32 | key;
    uint32_t turned = wsf_turn_key(key, size);
    /* The last eight bytes may overlap the loop's, so they are read first and written last. */
    uint64_t tail = wsf_load64(src + size - 8) ^ ((uint64_t)turned << 32 | turned);
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        uint64_t a = wsf_load64(src + i) ^ pair;
        uint64_t b = wsf_load64(src + i + 8) ^ pair;
        uint64_t c = wsf_load64(src + i + 16) ^ pair;
        uint64_t d = wsf_load64(src + i + 24) ^ pair;
        wsf_store64(dst + i, a);
        wsf_store64(dst + i + 8, b);
        wsf_store64(dst + i + 16, c);
        wsf_store64(dst + i + 24, d);
    }
    for (; i + 8 <= size; i += 8) {
        wsf_store64(dst + i, wsf_load64(src + i) ^ pair);
    }
    wsf_store64(dst + size - 8, tail);
}
