/* Detection of the vector instructions that processor and operating system support (x86 only).
 *
 * AVX-512 is used only together with VBMI2: older processors reduce their clock rate for 512-bit
 * vectors, which costs the rest of the program more than masking gains.
 */
#include "mask_kernels.h"

#if defined(WSF_X86)

#if defined(_MSC_VER)

#include <immintrin.h>
#include <intrin.h>

/* Register `reg` (0 to 3 for EAX to EDX) of a CPUID leaf; 0 if there is no such leaf. */
static unsigned cpuid(int leaf, int reg) {
    int out[4];
    __cpuid(out, 0);
    if (leaf > out[0]) {
        return 0;
    }
    __cpuidex(out, leaf, 0);
    return (unsigned)out[reg];
}

/* Whether the system saves all the register state in `mask` (bits of XCR0). */
static bool saved(unsigned mask) {
    bool osxsave = cpuid(1, 2) >> 27 & 1u;
    return osxsave && ((unsigned)_xgetbv(0) & mask) == mask;
}

bool wsf_cpu_has_sse2(void) {
    return cpuid(1, 3) >> 26 & 1u;
}

bool wsf_cpu_has_avx2(void) {
    return saved(0x06) && (cpuid(7, 1) >> 5 & 1u);
}

bool wsf_cpu_has_avx512(void) {
    unsigned features = cpuid(7, 1);
    return wsf_cpu_has_avx2() && saved(0xE6) && (features >> 16 & 1u) && (features >> 30 & 1u) &&
           (features >> 31 & 1u) && (cpuid(7, 2) >> 6 & 1u);
}

#else

bool wsf_cpu_has_sse2(void) {
    return __builtin_cpu_supports("sse2");
}

bool wsf_cpu_has_avx2(void) {
    return __builtin_cpu_supports("avx2");
}

bool wsf_cpu_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2");
}

#endif

#else

/* ISO C requires at least one declaration in a source file. */
typedef int wsf_cpu_is_empty;

#endif
