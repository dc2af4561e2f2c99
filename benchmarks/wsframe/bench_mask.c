/* Masking in GB/s compared with memcpy, from 8 bytes to 16 MiB, for each variant of this processor.
 *
 * The payload is placed as in a frame: after a header of 6, 8 or 14 bytes in an aligned buffer. The
 * target is a copying mask at 0.8 of memcpy's speed from 256 bytes to 64 KiB.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "wsframe/wsframe.h"

#define LARGEST ((size_t)16 << 20)

static uint8_t *source, *target;
static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

static void by_memcpy(size_t size, size_t shift) {
    memcpy(target + shift, source + shift, size);
    __asm__ volatile("" ::: "memory");
}

static void by_copy(size_t size, size_t shift) {
    wsf_mask_copy(target + shift, source + shift, size, key, 0);
}

static void in_place(size_t size, size_t shift) {
    wsf_mask(target + shift, size, key, 0);
}

/* The measurements at one size: the workloads alternate in each round, so that a disturbance of the
 * machine does not affect only one of them. */
typedef struct contender {
    void (*work)(size_t size, size_t shift);
    int variant;
    double best; /* seconds for one call */
} contender;

static contender contenders[1 + 2 * WSF_MASK_VARIANTS];
static size_t count;

static void add(void (*work)(size_t, size_t), int variant) {
    contenders[count].work = work;
    contenders[count++].variant = variant;
}

static void measure(size_t size) {
    size_t shift = wsf_header_size(size, true);
    size_t repeats = size < 4096 ? 10000 : ((size_t)16 << 20) / size;
    for (size_t c = 0; c < count; c++) {
        contenders[c].best = 1e9;
    }
    for (int round = 0; round < 3 * ROUNDS; round++) {
        for (size_t c = 0; c < count; c++) {
            contender *it = &contenders[c];
            wsf_mask_use(it->variant);
            it->work(size, shift);
            double start = now();
            for (size_t i = 0; i < repeats; i++) {
                it->work(size, shift);
            }
            double elapsed = (now() - start) / (double)repeats;
            it->best = elapsed < it->best ? elapsed : it->best;
        }
    }
}

int main(void) {
    source = aligned_alloc(4096, LARGEST + 4096);
    target = aligned_alloc(4096, LARGEST + 4096);
    if (!source || !target) {
        return 1;
    }
    memset(source, 1, LARGEST + 4096);
    memset(target, 2, LARGEST + 4096);
    printf("GB/s; in brackets the part of memcpy's speed\n%10s %8s", "bytes", "memcpy");
    add(by_memcpy, WSF_MASK_AUTO);
    for (int v = WSF_MASK_SCALAR; v < WSF_MASK_VARIANTS; v++) {
        if (wsf_mask_variant_supported(v)) {
            printf(" %15s copy %8s", wsf_mask_variant_name(v), "in place");
            add(by_copy, v);
            add(in_place, v);
        }
    }
    printf("\n");
    for (size_t size = 8; size <= LARGEST; size *= 2) {
        measure(size);
        double scale = (double)size * 1e-9;
        printf("%10zu %8.2f", size, scale / contenders[0].best);
        for (size_t c = 1; c < count; c += 2) {
            printf(" %13.2f (%4.2f) %8.2f", scale / contenders[c].best,
                   contenders[0].best / contenders[c].best, scale / contenders[c + 1].best);
        }
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
