/*
 * Masking with NEON, which every 64-bit ARM has. Contract: mask_kernels.h.
 *
 * As in mask_x86.c, the first and last vectors are read first and written last.
 */
#include "mask_kernels.h"

#if defined(WSF_ARM64)

#include <arm_neon.h>

void wsf_mask_neon(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    uint8x16_t k = vreinterpretq_u8_u32(vdupq_n_u32(key));
    uint8x16_t turned = vreinterpretq_u8_u32(vdupq_n_u32(wsf_turn_key(key, size)));
    uint8x16_t tail = veorq_u8(vld1q_u8(src + size - 16), turned);
    size_t i = 0;
    for (; i + 64 <= size; i += 64) {
        uint8x16_t a = veorq_u8(vld1q_u8(src + i), k);
        uint8x16_t b = veorq_u8(vld1q_u8(src + i + 16), k);
        uint8x16_t c = veorq_u8(vld1q_u8(src + i + 32), k);
        uint8x16_t d = veorq_u8(vld1q_u8(src + i + 48), k);
        vst1q_u8(dst + i, a);
        vst1q_u8(dst + i + 16, b);
        vst1q_u8(dst + i + 32, c);
        vst1q_u8(dst + i + 48, d);
    }
    for (; i + 16 <= size; i += 16) {
        vst1q_u8(dst + i, veorq_u8(vld1q_u8(src + i), k));
    }
    vst1q_u8(dst + size - 16, tail);
}

#else

/* ISO C requires at least one declaration in a source file. */
typedef int wsf_mask_neon_is_empty;

#endif
