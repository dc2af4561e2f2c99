/*
 * Masking with SSE2, AVX2 and AVX-512. Contract: mask_kernels.h.
 * Short inputs are processed from both ends, with vectors that overlap in the middle: everything is
 * read before anything is written. Long inputs use a loop that begins at an aligned destination,
 * because stores across cache lines are slow; the first and the last vector overlap those of the
 * loop, and are also read first and written last. Stores are ordinary ones: non-temporal stores
 * were slower at every size that fits into a cache.
 */
#include "mask_kernels.h"

#if defined(WSF_X86)

#include <immintrin.h>
#if defined(_MSC_VER) && defined(__clang__)
/* clang-cl omits from <immintrin.h> the intrinsics that are not enabled for the whole file. */
#include <smmintrin.h>

#include <avxintrin.h>

#include <avx2intrin.h>

#include <avx512fintrin.h>
#endif

/* The start of the loop: the first aligned byte after dst, at most one vector away. */
WSF_INLINE size_t first_aligned(const uint8_t *dst, size_t vector) {
    return vector - ((uintptr_t)dst & (vector - 1));
}

#define LOAD(at) _mm_loadu_si128((const __m128i *)(const void *)(src + (at)))
#define STORE(at, v) _mm_storeu_si128((__m128i *)(void *)(dst + (at)), v)
#define XOR(a, b) _mm_xor_si128(a, b)

/* 16 to 32 bytes: two vectors that overlap. */
WSF_TARGET("sse2")
WSF_INLINE void mask_ends_sse2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    __m128i head = XOR(LOAD(0), _mm_set1_epi32((int)key));
    __m128i tail = XOR(LOAD(size - 16), _mm_set1_epi32((int)wsf_turn_key(key, size)));
    STORE(0, head);
    STORE(size - 16, tail);
}

WSF_TARGET("sse2")
void wsf_mask_sse2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size <= 32) {
        mask_ends_sse2(dst, src, size, key);
        return;
    }
    __m128i head = XOR(LOAD(0), _mm_set1_epi32((int)key));
    __m128i tail = XOR(LOAD(size - 16), _mm_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 16);
    __m128i k = _mm_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 64 <= size; i += 64) {
        __m128i a = XOR(LOAD(i), k), b = XOR(LOAD(i + 16), k);
        __m128i c = XOR(LOAD(i + 32), k), d = XOR(LOAD(i + 48), k);
        STORE(i, a);
        STORE(i + 16, b);
        STORE(i + 32, c);
        STORE(i + 48, d);
    }
    for (; i + 16 <= size; i += 16) {
        STORE(i, XOR(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 16, tail);
}

#undef LOAD
#undef STORE
#undef XOR
#define LOAD(at) _mm256_loadu_si256((const __m256i *)(const void *)(src + (at)))
#define STORE(at, v) _mm256_storeu_si256((__m256i *)(void *)(dst + (at)), v)
#define XOR(a, b) _mm256_xor_si256(a, b)

/* 32 to 256 bytes: one, two or four vectors from each end. */
WSF_TARGET("avx2")
WSF_INLINE void mask_ends_avx2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    __m256i k = _mm256_set1_epi32((int)key);
    __m256i t = _mm256_set1_epi32((int)wsf_turn_key(key, size));
    __m256i a = XOR(LOAD(0), k), z = XOR(LOAD(size - 32), t);
    if (size > 64) {
        __m256i b = XOR(LOAD(32), k), y = XOR(LOAD(size - 64), t);
        if (size > 128) {
            __m256i c = XOR(LOAD(64), k), x = XOR(LOAD(size - 96), t);
            __m256i d = XOR(LOAD(96), k), w = XOR(LOAD(size - 128), t);
            STORE(64, c);
            STORE(96, d);
            STORE(size - 128, w);
            STORE(size - 96, x);
        }
        STORE(32, b);
        STORE(size - 64, y);
    }
    STORE(0, a);
    STORE(size - 32, z);
}

WSF_TARGET("avx2")
void wsf_mask_avx2(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size < 32) {
        mask_ends_sse2(dst, src, size, key);
        return;
    }
    if (size <= 256) {
        mask_ends_avx2(dst, src, size, key);
        _mm256_zeroupper();
        return;
    }
    __m256i head = XOR(LOAD(0), _mm256_set1_epi32((int)key));
    __m256i tail = XOR(LOAD(size - 32), _mm256_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 32);
    __m256i k = _mm256_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 128 <= size; i += 128) {
        __m256i a = XOR(LOAD(i), k), b = XOR(LOAD(i + 32), k);
        __m256i c = XOR(LOAD(i + 64), k), d = XOR(LOAD(i + 96), k);
        STORE(i, a);
        STORE(i + 32, b);
        STORE(i + 64, c);
        STORE(i + 96, d);
    }
    for (; i + 32 <= size; i += 32) {
        STORE(i, XOR(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 32, tail);
    _mm256_zeroupper();
}

#undef LOAD
#undef STORE
#undef XOR
#define LOAD(at) _mm512_loadu_si512((const void *)(src + (at)))
#define STORE(at, v) _mm512_storeu_si512((void *)(dst + (at)), v)
#define XOR(a, b) _mm512_xor_si512(a, b)
#define AVX512 "avx512f,avx512vl,avx512bw"

/* 64 to 256 bytes: one or two vectors from each end. */
WSF_TARGET(AVX512)
WSF_INLINE void mask_ends_avx512(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    __m512i k = _mm512_set1_epi32((int)key);
    __m512i t = _mm512_set1_epi32((int)wsf_turn_key(key, size));
    __m512i a = XOR(LOAD(0), k), z = XOR(LOAD(size - 64), t);
    if (size > 128) {
        __m512i b = XOR(LOAD(64), k), y = XOR(LOAD(size - 128), t);
        STORE(64, b);
        STORE(size - 128, y);
    }
    STORE(0, a);
    STORE(size - 64, z);
}

WSF_TARGET(AVX512)
void wsf_mask_avx512(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size < 32) {
        mask_ends_sse2(dst, src, size, key);
        return;
    }
    if (size <= 256) {
        if (size < 64) {
            mask_ends_avx2(dst, src, size, key);
        } else {
            mask_ends_avx512(dst, src, size, key);
        }
        _mm256_zeroupper();
        return;
    }
    __m512i head = XOR(LOAD(0), _mm512_set1_epi32((int)key));
    __m512i tail = XOR(LOAD(size - 64), _mm512_set1_epi32((int)wsf_turn_key(key, size)));
    size_t i = first_aligned(dst, 64);
    __m512i k = _mm512_set1_epi32((int)wsf_turn_key(key, i));
    for (; i + 256 <= size; i += 256) {
        __m512i a = XOR(LOAD(i), k), b = XOR(LOAD(i + 64), k);
        __m512i c = XOR(LOAD(i + 128), k), d = XOR(LOAD(i + 192), k);
        STORE(i, a);
        STORE(i + 64, b);
        STORE(i + 128, c);
        STORE(i + 192, d);
    }
    for (; i + 64 <= size; i += 64) {
        STORE(i, XOR(LOAD(i), k));
    }
    STORE(0, head);
    STORE(size - 64, tail);
    _mm256_zeroupper();
}

#undef LOAD
#undef STORE
#undef XOR

#else

/* ISO C requires at least one declaration in a source file. */
typedef int wsf_mask_x86_is_empty;

#endif
