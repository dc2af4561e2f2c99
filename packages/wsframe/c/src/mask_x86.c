/*
 * Masking with SSE2, AVX2 and AVX-512. Contract: mask_kernels.h.
 *
 * All three work alike. The first and the last vector may overlap those of the loop, so they are
 * read before anything is written and written after everything else; the loop then begins at an
 * aligned destination, because stores that straddle cache lines are slow. Stores are ordinary
 * ones: non-temporal stores lost at every size that fits a cache.
 */
#include "mask_kernels.h"

#if defined(WSF_X86)

#include <immintrin.h>

/* Where the loop begins: the first aligned byte behind dst, at most one vector away. */
WSF_INLINE size_t first_aligned(const uint8_t *dst, size_t vector) {
    return vector - ((uintptr_t)dst & (vector - 1));
}

WSF_TARGET("sse2")
void wsf_mask_sse2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
#define LOAD(at) _mm_loadu_si128((const __m128i *)(const void *)(src + (at)))
#define STORE(at, v) _mm_storeu_si128((__m128i *)(void *)(dst + (at)), v)
    __m128i head = _mm_xor_si128(LOAD(0), _mm_set1_epi32((int)key));
    __m128i tail = _mm_xor_si128(LOAD(size - 16), _mm_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 16);
    __m128i k = _mm_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 64 <= size; i += 64) {
        __m128i a = _mm_xor_si128(LOAD(i), k);
        __m128i b = _mm_xor_si128(LOAD(i + 16), k);
        __m128i c = _mm_xor_si128(LOAD(i + 32), k);
        __m128i d = _mm_xor_si128(LOAD(i + 48), k);
        STORE(i, a);
        STORE(i + 16, b);
        STORE(i + 32, c);
        STORE(i + 48, d);
    }
    for (; i + 16 <= size; i += 16) {
        STORE(i, _mm_xor_si128(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 16, tail);
#undef LOAD
#undef STORE
}

WSF_TARGET("avx2")
void wsf_mask_avx2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size < 32) {
        wsf_mask_sse2(dst, src, size, key);
        return;
    }
#define LOAD(at) _mm256_loadu_si256((const __m256i *)(const void *)(src + (at)))
#define STORE(at, v) _mm256_storeu_si256((__m256i *)(void *)(dst + (at)), v)
    __m256i head = _mm256_xor_si256(LOAD(0), _mm256_set1_epi32((int)key));
    __m256i tail =
        _mm256_xor_si256(LOAD(size - 32), _mm256_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 32);
    __m256i k = _mm256_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 128 <= size; i += 128) {
        __m256i a = _mm256_xor_si256(LOAD(i), k);
        __m256i b = _mm256_xor_si256(LOAD(i + 32), k);
        __m256i c = _mm256_xor_si256(LOAD(i + 64), k);
        __m256i d = _mm256_xor_si256(LOAD(i + 96), k);
        STORE(i, a);
        STORE(i + 32, b);
        STORE(i + 64, c);
        STORE(i + 96, d);
    }
    for (; i + 32 <= size; i += 32) {
        STORE(i, _mm256_xor_si256(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 32, tail);
    _mm256_zeroupper();
#undef LOAD
#undef STORE
}

WSF_TARGET("avx512f,avx512vl,avx512bw")
void wsf_mask_avx512(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size < 64) {
        wsf_mask_avx2(dst, src, size, key);
        return;
    }
#define LOAD(at) _mm512_loadu_si512((const void *)(src + (at)))
#define STORE(at, v) _mm512_storeu_si512((void *)(dst + (at)), v)
    __m512i head = _mm512_xor_si512(LOAD(0), _mm512_set1_epi32((int)key));
    __m512i tail =
        _mm512_xor_si512(LOAD(size - 64), _mm512_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 64);
    __m512i k = _mm512_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 256 <= size; i += 256) {
        __m512i a = _mm512_xor_si512(LOAD(i), k);
        __m512i b = _mm512_xor_si512(LOAD(i + 64), k);
        __m512i c = _mm512_xor_si512(LOAD(i + 128), k);
        __m512i d = _mm512_xor_si512(LOAD(i + 192), k);
        STORE(i, a);
        STORE(i + 64, b);
        STORE(i + 128, c);
        STORE(i + 192, d);
    }
    for (; i + 64 <= size; i += 64) {
        STORE(i, _mm512_xor_si512(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 64, tail);
    _mm256_zeroupper();
#undef LOAD
#undef STORE
}

#else

/* ISO C wants at least one declaration in a source file. */
typedef int wsf_mask_x86_is_empty;

#endif
