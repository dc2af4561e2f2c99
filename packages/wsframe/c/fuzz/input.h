/* Reading decisions from the fuzzer's bytes, and aborting on a failure.
 */
#ifndef WSF_FUZZ_INPUT_H
#define WSF_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct input {
    const uint8_t *data;
    size_t size;
} input;

/* The next byte; 0 after the end. */
static inline uint8_t take_byte(input *in) {
    if (in->size == 0) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

static inline uint32_t take_word(input *in) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) {
        word = word << 8 | take_byte(in);
    }
    return word;
}

/* A copy that ends where its memory ends, so that sanitizers detect any access beyond it. */
static inline uint8_t *exact_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    REQUIRE(copy);
    if (size) {
        memcpy(copy, data, size);
    }
    return size ? copy : copy + 1;
}

static inline void free_copy(uint8_t *copy, size_t size) {
    free(size ? copy : copy - 1);
}

#endif
