/* UTF-8: the result at once and in pieces must be the same as that of decoding by arithmetic.
 *
 * Input: size of the pieces, then the text.
 */
#include "input.h"
#include "wsframe/wsframe.h"

/* Whether data is UTF-8, by decoding each character and encoding its rules as arithmetic. */
static bool decodes(const uint8_t *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        uint32_t byte = data[i++];
        if (byte < 0x80) {
            continue;
        }
        int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        if (byte < 0xC0 || byte > 0xF7) {
            return false;
        }
        uint32_t point = byte & (0x3Fu >> more);
        for (; more; more--) {
            if (i == size || (data[i] & 0xC0) != 0x80) {
                return false;
            }
            point = point << 6 | (data[i++] & 0x3Fu);
        }
        if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    size_t step = take_byte(&in) % 80u + 1;
    uint8_t *text = exact_copy(in.data, in.size);
    wsf_utf8 at_once, pieces;
    wsf_utf8_init(&at_once);
    wsf_utf8_init(&pieces);
    size_t good = wsf_utf8_feed(&at_once, text, in.size);
    REQUIRE((good == in.size && wsf_utf8_finish(&at_once)) == decodes(text, in.size));

    size_t total = 0;
    for (size_t at = 0; at < in.size; at += step) {
        size_t n = in.size - at < step ? in.size - at : step;
        uint8_t *piece = exact_copy(text + at, n);
        size_t fed = wsf_utf8_feed(&pieces, piece, n);
        free_copy(piece, n);
        total += fed;
        if (fed != n) {
            break;
        }
    }
    REQUIRE(total == good);
    REQUIRE(wsf_utf8_finish(&pieces) == wsf_utf8_finish(&at_once));
    free_copy(text, in.size);
    return 0;
}
