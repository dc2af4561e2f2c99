/* Time and processor cycles, and the best of several rounds: noise can only add time.
 */
#ifndef WSF_BENCH_CLOCK_H
#define WSF_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#define ROUNDS 15

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Core cycles per second, from a chain of additions that take one cycle each. */
static inline double cycles_per_second(void) {
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t x = (uint64_t)round;
        double start = now();
        for (int i = 0; i < 1000000; i++) {
            x += 1;
            __asm__ volatile("" : "+r"(x));
            x += 1;
            __asm__ volatile("" : "+r"(x));
            x += 1;
            __asm__ volatile("" : "+r"(x));
            x += 1;
            __asm__ volatile("" : "+r"(x));
        }
        double rate = 4e6 / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

#endif
