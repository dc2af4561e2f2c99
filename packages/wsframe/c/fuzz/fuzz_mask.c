/*
 * Masking: every variant against the definition, in place, copied, and in two pieces.
 *
 * Input: variant, phase, alignment, place of the cut, key (4), then the payload.
 */
#include "input.h"
#include "wsframe/wsframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    int variant = take_byte(&in) % WSF_MASK_VARIANTS;
    size_t phase = take_byte(&in);
    size_t shift = take_byte(&in) % 64;
    size_t cut = take_byte(&in);
    uint8_t key[4];
    for (int i = 0; i < 4; i++) {
        key[i] = take_byte(&in);
    }
    if (wsf_mask_use(variant) != WSF_OK) {
        return 0;
    }
    cut = cut < in.size ? cut : in.size;
    uint8_t *expected = exact_copy(in.data, in.size);
    for (size_t i = 0; i < in.size; i++) {
        expected[i] ^= key[(phase + i) % 4];
    }
    uint8_t *source = exact_copy(in.data, in.size);
    uint8_t *memory = malloc(shift + in.size + 1);
    REQUIRE(memory);
    uint8_t *result = memory + shift;
    result[in.size] = 0x5A;
    wsf_mask_copy(result, source, in.size, key, phase);
    REQUIRE(memcmp(result, expected, in.size) == 0 && result[in.size] == 0x5A);
    wsf_mask(source, cut, key, phase);
    wsf_mask(source + cut, in.size - cut, key, phase + cut);
    REQUIRE(memcmp(source, expected, in.size) == 0);
    free(memory);
    free_copy(source, in.size);
    free_copy(expected, in.size);
    return 0;
}
