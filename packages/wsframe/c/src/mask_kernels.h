/* The masking kernels, one per instruction set, and the selection among them.
 *
 * A kernel gets at least WSF_KERNEL_MIN bytes and a key already rotated to the phase of the first
 * one. dst and src are equal or do not overlap. It accesses no byte outside the two ranges.
 */
#ifndef WSF_MASK_KERNELS_H
#define WSF_MASK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "platform.h"

#define WSF_KERNEL_MIN 16

typedef void (*wsf_mask_kernel)(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);

/* The key for the byte at `offset`, given the one for byte 0; both as four bytes in memory. */
WSF_INLINE uint32_t wsf_turn_key(uint32_t key, size_t offset) {
    unsigned bits = (unsigned)(offset & 3) * 8;
#if defined(WSF_BIG_ENDIAN)
    return key << bits | key >> (-bits & 31);
#else
    return key >> bits | key << (-bits & 31);
#endif
}

void wsf_mask_scalar(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);

#if defined(WSF_X86)
void wsf_mask_sse2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);
void wsf_mask_avx2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);
void wsf_mask_avx512(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);
bool wsf_cpu_has_sse2(void);
bool wsf_cpu_has_avx2(void);
bool wsf_cpu_has_avx512(void);
#endif

#if defined(WSF_ARM64)
void wsf_mask_neon(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);
#endif

#endif
