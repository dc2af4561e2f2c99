/* The differences between compilers and processors, defined in one place.
 *
 * Other sources must test these names, not compiler macros. Nothing here is visible to users.
 */
#ifndef WSF_PLATFORM_H
#define WSF_PLATFORM_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define WSF_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define WSF_ARM64 1
#endif

/* Only compilers that define the first name target such machines. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WSF_BIG_ENDIAN 1
#endif

/* SSE2 is part of every 64-bit x86, so code for it needs no run-time choice there. */
#if defined(__SSE2__) || defined(_M_X64)
#define WSF_ALWAYS_SSE2 1
#endif

/* Allows a function to use instructions that are not enabled for the rest of the file; MSVC always
 * allows them, but clang-cl does not. */
#if defined(__GNUC__) || defined(__clang__)
#define WSF_TARGET(isa) __attribute__((target(isa)))
#define WSF_LIKELY(x) __builtin_expect(!!(x), 1)
#define WSF_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define WSF_TARGET(isa)
#define WSF_LIKELY(x) (x)
#define WSF_UNLIKELY(x) (x)
#endif

#if defined(_MSC_VER)
#define WSF_THREAD_LOCAL __declspec(thread)
#else
#define WSF_THREAD_LOCAL _Thread_local
#endif

/* A build may override this: for example, nothing must be inlined to measure coverage. */
#if !defined(WSF_INLINE)
#if defined(_MSC_VER)
#define WSF_INLINE static __forceinline
#elif defined(__GNUC__)
#define WSF_INLINE static inline __attribute__((always_inline))
#else
#define WSF_INLINE static inline
#endif
#endif

/* A word shared between threads with relaxed ordering: MSVC has no <stdatomic.h> in C11 mode, but
 * its aligned volatile accesses of a word are atomic. */
#if defined(_MSC_VER) && !defined(__clang__)
#define WSF_ATOMIC(type) volatile type
#define wsf_atomic_load(p) (*(p))
#define wsf_atomic_store(p, v) ((void)(*(p) = (v)))
#else
#include <stdatomic.h>
#define WSF_ATOMIC(type) _Atomic(type)
#define wsf_atomic_load(p) atomic_load_explicit((p), memory_order_relaxed)
#define wsf_atomic_store(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#endif

/* The number of zero bits below the lowest set bit; the word must not be 0. */
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
WSF_INLINE unsigned wsf_trailing_zeros(uint32_t word) {
    unsigned long at;
    _BitScanForward(&at, word);
    return (unsigned)at;
}
#elif defined(__GNUC__)
WSF_INLINE unsigned wsf_trailing_zeros(uint32_t word) {
    return (unsigned)__builtin_ctz(word);
}
#else
WSF_INLINE unsigned wsf_trailing_zeros(uint32_t word) {
    unsigned at = 0;
    while (!(word >> at & 1u)) {
        at++;
    }
    return at;
}
#endif

/* Words at any address, in the machine's byte order. */
WSF_INLINE uint64_t wsf_load64(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

WSF_INLINE uint32_t wsf_load32(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

WSF_INLINE void wsf_store64(uint8_t *p, uint64_t word) {
    memcpy(p, &word, sizeof word);
}

WSF_INLINE void wsf_store32(uint8_t *p, uint32_t word) {
    memcpy(p, &word, sizeof word);
}

#endif
