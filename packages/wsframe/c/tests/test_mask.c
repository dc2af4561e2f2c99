/*
 * Masking: every variant against the definition, at every length, alignment and phase, between
 * protected pages.
 */
#include <stdlib.h>

#include "check.h"
#include "guarded.h"
#include "wsframe/wsframe.h"

#define LENGTHS 1024
#define ALIGNMENTS 64 /* of the widest vector */
#define CANARY 0xA5

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
static uint8_t plain[LENGTHS + 3];
static uint8_t masked[4][LENGTHS]; /* by definition, for each phase */

static void prepare(void) {
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof plain; i++) {
        random = random * 1664525u + 1013904223u;
        plain[i] = (uint8_t)(random >> 24);
    }
    for (size_t phase = 0; phase < 4; phase++) {
        for (size_t i = 0; i < LENGTHS; i++) {
            masked[phase][i] = plain[i] ^ key[(phase + i) % 4];
        }
    }
}

/* Whether `size` bytes around a result still have their first value. */
static bool untouched(const uint8_t *from, const uint8_t *to) {
    for (; from < to; from++) {
        if (*from != CANARY) {
            return false;
        }
    }
    return true;
}

/* In place and copying, at one length and phase; dst and src are placed by the caller. */
static bool right(uint8_t *dst, uint8_t *src, size_t size, size_t phase) {
    memcpy(dst, plain, size);
    wsf_mask(dst, size, key, phase);
    if (memcmp(dst, masked[phase & 3], size) != 0) {
        return false;
    }
    memcpy(src, plain, size);
    memset(dst, CANARY, size);
    wsf_mask_copy(dst, src, size, key, phase);
    return memcmp(dst, masked[phase & 3], size) == 0 && memcmp(src, plain, size) == 0;
}

static void test_variant(int variant, const guarded *a, const guarded *b) {
    CHECK_EQ(wsf_mask_use(variant), WSF_OK);
    CHECK_EQ(wsf_mask_variant_in_use(), variant);
    for (size_t size = 0; size <= LENGTHS; size++) {
        for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
            size_t other = shift * 7 % ALIGNMENTS;
            size_t phase = (size + shift) % 4;
            memset(a->end - size - 128, CANARY, size + 128);
            /* Directly before the protected page, then directly after one. */
            uint8_t *dst = a->end - size - shift;
            bool ok = right(dst, b->end - size - other, size, phase);
            ok = ok && untouched(a->end - size - 128, dst) && untouched(dst + size, a->end);
            memset(a->start, CANARY, size + 128);
            dst = a->start + shift;
            ok = ok && right(dst, b->start + other, size, phase + 5);
            ok = ok && untouched(a->start, dst) && untouched(dst + size, a->start + size + 128);
            if (!ok) {
                printf("%s: size %zu shift %zu\n", wsf_mask_variant_name(variant), size, shift);
                CHECK(ok);
                return;
            }
        }
    }
    /* All phases at all lengths, directly at the protected pages. */
    for (size_t size = 0; size <= LENGTHS; size++) {
        for (size_t phase = 0; phase < 8; phase++) {
            CHECK(right(a->end - size, b->end - size, size, phase));
            CHECK(right(a->start, b->start, size, phase));
        }
    }
}

/* Masking a payload in pieces gives the same result as masking it at once. */
static void test_pieces(void) {
    uint8_t data[LENGTHS];
    for (size_t cut = 0; cut <= 64; cut++) {
        memcpy(data, plain, sizeof data);
        wsf_mask(data, cut, key, 0);
        wsf_mask(data + cut, sizeof data - cut, key, cut);
        CHECK(memcmp(data, masked[0], sizeof data) == 0);
    }
}

static void test_choice(void) {
    CHECK_EQ(wsf_mask_use(-1), WSF_ERR_ARGUMENT);
    CHECK_EQ(wsf_mask_use(WSF_MASK_VARIANTS), WSF_ERR_ARGUMENT);
    CHECK(!wsf_mask_variant_supported(-1));
    CHECK(!wsf_mask_variant_supported(WSF_MASK_VARIANTS));
    CHECK(wsf_mask_variant_supported(WSF_MASK_AUTO));
    CHECK(wsf_mask_variant_supported(WSF_MASK_SCALAR));
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_AUTO), "auto");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_SCALAR), "scalar");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_SSE2), "sse2");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_AVX2), "avx2");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_AVX512), "avx512");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_NEON), "neon");
    CHECK_STR(wsf_mask_variant_name(-1), "unknown");
    CHECK_STR(wsf_mask_variant_name(WSF_MASK_VARIANTS), "unknown");
    CHECK_EQ(wsf_mask_use(WSF_MASK_AUTO), WSF_OK);
    CHECK(wsf_mask_variant_in_use() != WSF_MASK_AUTO);
    CHECK(wsf_mask_variant_supported(wsf_mask_variant_in_use()));
}

int main(void) {
    guarded a = guarded_new(2 * LENGTHS), b = guarded_new(2 * LENGTHS);
    prepare();
    /* The very first use selects the kernel; it must also mask. */
    memcpy(a.start, plain, 100);
    wsf_mask(a.start, 100, key, 0);
    CHECK(memcmp(a.start, masked[0], 100) == 0);
    wsf_mask(NULL, 0, key, 0);
    wsf_mask_copy(NULL, NULL, 0, key, 0);
    for (int variant = WSF_MASK_SCALAR; variant < WSF_MASK_VARIANTS; variant++) {
        if (wsf_mask_variant_supported(variant)) {
            printf("testing %s\n", wsf_mask_variant_name(variant));
            test_variant(variant, &a, &b);
        } else {
            CHECK_EQ(wsf_mask_use(variant), WSF_ERR_UNSUPPORTED);
        }
    }
    test_choice();
    test_pieces();
    return check_result();
}
