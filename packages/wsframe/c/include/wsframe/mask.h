/**
 * @file
 * Masking and unmasking (RFC 6455, 5.3): the same operation, an XOR with a repeated 4-byte key.
 *
 * It never reads or writes a byte outside the given range, at any alignment.
 */
#ifndef WSFRAME_MASK_H
#define WSFRAME_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"

/** The implementations. The best one for this processor is selected at the first use. */
typedef enum wsf_mask_variant {
    WSF_MASK_AUTO = 0,   /**< The best one this processor has. */
    WSF_MASK_SCALAR = 1, /**< Eight bytes at a time in plain C; always available. */
    WSF_MASK_SSE2 = 2,   /**< x86 with SSE2. */
    WSF_MASK_AVX2 = 3,   /**< x86 with AVX2. */
    WSF_MASK_AVX512 = 4, /**< x86 with AVX-512 F, VL, BW and VBMI2. */
    WSF_MASK_NEON = 5    /**< 64-bit ARM. */
} wsf_mask_variant;

/** One more than the last enumerator of #wsf_mask_variant. */
#define WSF_MASK_VARIANTS 6

WSF_BEGIN_DECLS

/**
 * Mask or unmask in place.
 *
 * @param data   the bytes to change. May be NULL if size is 0.
 * @param size   how many.
 * @param key    the masking key in wire order; may lie anywhere outside data.
 * @param phase  position of data[0] in the frame's payload; only its value modulo 4 matters. To
 *               continue a partly masked payload, pass the number of bytes already masked.
 */
WSF_API void wsf_mask(uint8_t *data, size_t size, const uint8_t key[4], size_t phase);

/**
 * Mask or unmask while copying.
 *
 * @param dst    receives size bytes. Equal to src, or not overlapping it.
 * @param src    the bytes to mask; only read. May be NULL, as may dst, if size is 0.
 * @param size   how many.
 * @param key    the masking key in wire order.
 * @param phase  position of src[0] in the frame's payload, modulo 4.
 */
WSF_API void wsf_mask_copy(uint8_t *dst, const uint8_t *src, size_t size, const uint8_t key[4],
                           size_t phase);

/** Select the implementation for the whole process, for tests and measurements.
 *
 * May be called while other threads mask: they use either one, with the same results.
 *
 * @param variant  an enumerator of #wsf_mask_variant.
 * @return 0 on success; #WSF_ERR_UNSUPPORTED if this processor or build does not support it, and
 *         nothing is changed; #WSF_ERR_ARGUMENT if there is no such variant.
 */
WSF_API int wsf_mask_use(int variant);

/** Return whether wsf_mask_use() would accept a variant.
 *
 * @param variant  an enumerator of #wsf_mask_variant.
 * @return true for #WSF_MASK_AUTO and all variants that this processor and build support.
 */
WSF_API bool wsf_mask_variant_supported(int variant);

/** Return the implementation in use.
 *
 * @return an enumerator of #wsf_mask_variant, never #WSF_MASK_AUTO.
 */
WSF_API int wsf_mask_variant_in_use(void);

/** Return the name of a variant.
 *
 * @param variant  an enumerator of #wsf_mask_variant.
 * @return "auto", "scalar", "sse2", "avx2", "avx512", "neon", or "unknown" for other numbers.
 *         A static string, never NULL; do not free it.
 */
WSF_API const char *wsf_mask_variant_name(int variant);

WSF_END_DECLS

#endif
