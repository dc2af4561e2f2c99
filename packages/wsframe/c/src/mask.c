/* Masking: the exported functions, short inputs, and the selection of a kernel.
 */
#include "wsframe/mask.h"

#include "mask_kernels.h"
#include "wsframe/error.h"

typedef struct variant_entry {
    const char *name;
    wsf_mask_kernel kernel;
    bool (*present)(void); /* NULL if the kernel can always run. */
} variant_entry;

static const variant_entry variants[WSF_MASK_VARIANTS] = {
    [WSF_MASK_AUTO] = {"auto", NULL, NULL},
    [WSF_MASK_SCALAR] = {"scalar", wsf_mask_scalar, NULL},
#if defined(WSF_X86)
    [WSF_MASK_SSE2] = {"sse2", wsf_mask_sse2, wsf_cpu_has_sse2},
    [WSF_MASK_AVX2] = {"avx2", wsf_mask_avx2, wsf_cpu_has_avx2},
    [WSF_MASK_AVX512] = {"avx512", wsf_mask_avx512, wsf_cpu_has_avx512},
#else
    [WSF_MASK_SSE2] = {"sse2", NULL, NULL},
    [WSF_MASK_AVX2] = {"avx2", NULL, NULL},
    [WSF_MASK_AVX512] = {"avx512", NULL, NULL},
#endif
#if defined(WSF_ARM64)
    [WSF_MASK_NEON] = {"neon", wsf_mask_neon, NULL},
#else
    [WSF_MASK_NEON] = {"neon", NULL, NULL},
#endif
};

/* Best first. */
static const uint8_t preference[] = {WSF_MASK_AVX512, WSF_MASK_AVX2, WSF_MASK_SSE2, WSF_MASK_NEON,
                                     WSF_MASK_SCALAR};

static void choose_then_mask(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key);

/* The kernel in use; before the first use, one that selects it. */
static WSF_ATOMIC(wsf_mask_kernel) current = choose_then_mask;

static bool runs_here(int variant) {
    const variant_entry *entry = &variants[variant];
    return entry->kernel && (!entry->present || entry->present());
}

static wsf_mask_kernel choose(void) {
    const uint8_t *best = preference;
    while (!runs_here(*best)) {
        best++; /* ends at the scalar kernel, which runs everywhere */
    }
    wsf_mask_kernel kernel = variants[*best].kernel;
    wsf_atomic_store(&current, kernel);
    return kernel;
}

static void choose_then_mask(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    choose()(dst, src, size, key);
}

/* Fewer bytes than a kernel needs: two words that may overlap, both read before any is written. */
WSF_INLINE void mask_short(uint8_t *dst, const uint8_t *src, size_t size, uint32_t key) {
    if (size >= 8) {
        uint64_t pair = (uint64_t)key << 32 | key;
        uint32_t turned = wsf_turn_key(key, size);
        uint64_t head = wsf_load64(src) ^ pair;
        uint64_t tail = wsf_load64(src + size - 8) ^ ((uint64_t)turned << 32 | turned);
        wsf_store64(dst, head);
        wsf_store64(dst + size - 8, tail);
    } else if (size >= 4) {
        uint32_t head = wsf_load32(src) ^ key;
        uint32_t tail = wsf_load32(src + size - 4) ^ wsf_turn_key(key, size);
        wsf_store32(dst, head);
        wsf_store32(dst + size - 4, tail);
    } else {
        uint8_t bytes[4];
        wsf_store32(bytes, key);
        for (size_t i = 0; i < size; i++) {
            dst[i] = src[i] ^ bytes[i];
        }
    }
}

WSF_INLINE void mask_any(uint8_t *dst, const uint8_t *src, size_t size, const uint8_t key[4],
                         size_t phase) {
    uint32_t turned = wsf_turn_key(wsf_load32(key), phase);
    if (size < WSF_KERNEL_MIN) {
        mask_short(dst, src, size, turned);
    } else {
        wsf_mask_kernel kernel = wsf_atomic_load(&current);
        kernel(dst, src, size, turned);
    }
}

void wsf_mask(uint8_t *data, size_t size, const uint8_t key[4], size_t phase) {
    mask_any(data, data, size, key, phase);
}

void wsf_mask_copy(uint8_t *dst, const uint8_t *src, size_t size, const uint8_t key[4],
                   size_t phase) {
    mask_any(dst, src, size, key, phase);
}

int wsf_mask_use(int variant) {
    if (variant < 0 || variant >= WSF_MASK_VARIANTS) {
        return WSF_ERR_ARGUMENT;
    }
    if (variant == WSF_MASK_AUTO) {
        choose();
        return WSF_OK;
    }
    if (!runs_here(variant)) {
        return WSF_ERR_UNSUPPORTED;
    }
    wsf_atomic_store(&current, variants[variant].kernel);
    return WSF_OK;
}

bool wsf_mask_variant_supported(int variant) {
    return variant == WSF_MASK_AUTO ||
           (variant > 0 && variant < WSF_MASK_VARIANTS && runs_here(variant));
}

int wsf_mask_variant_in_use(void) {
    wsf_mask_kernel kernel = wsf_atomic_load(&current);
    if (kernel == choose_then_mask) {
        kernel = choose();
    }
    int variant = WSF_MASK_SCALAR;
    while (variants[variant].kernel != kernel) {
        variant++;
    }
    return variant;
}

const char *wsf_mask_variant_name(int variant) {
    return variant >= 0 && variant < WSF_MASK_VARIANTS ? variants[variant].name : "unknown";
}
