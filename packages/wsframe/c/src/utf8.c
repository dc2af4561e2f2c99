/*
 * Incremental UTF-8 validation (RFC 3629).
 *
 * Runs of ASCII are skipped 16 or 8 bytes at a time; whole characters are checked at once; only at
 * the ends of a piece are bytes fed one by one. It never reads outside the piece.
 */
#include "wsframe/utf8.h"

#include "platform.h"

#if defined(WSF_ALWAYS_SSE2)
#include <emmintrin.h>
#elif defined(WSF_ARM64)
#include <arm_neon.h>
#endif

/* What must follow a byte that is not ASCII: how many bytes, and the range of the first of them.
 * The others lie between 0x80 and 0xBF. */
typedef struct lead_entry {
    uint8_t need, low, high;
} lead_entry;

WSF_INLINE lead_entry lead_of(uint8_t byte) {
    static const lead_entry none = {0, 0xFF, 0x00};
    static const lead_entry three[16] = {
        {2, 0xA0, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF},
        {2, 0x80, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF},
        {2, 0x80, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF},
        {2, 0x80, 0xBF}, {2, 0x80, 0x9F}, {2, 0x80, 0xBF}, {2, 0x80, 0xBF},
    };
    static const lead_entry two = {1, 0x80, 0xBF};
    static const lead_entry four[5] = {
        {3, 0x90, 0xBF}, {3, 0x80, 0xBF}, {3, 0x80, 0xBF}, {3, 0x80, 0xBF}, {3, 0x80, 0x8F},
    };
    if (byte >= 0xE0) {
        return byte < 0xF0 ? three[byte - 0xE0] : byte < 0xF5 ? four[byte - 0xF0] : none;
    }
    return byte >= 0xC2 ? two : none;
}

/* How many leading bytes are surely ASCII; may stop up to 16 bytes early at the end. */
WSF_INLINE size_t skip_ascii(const uint8_t *data, size_t size) {
    size_t i = 0;
#if defined(WSF_ALWAYS_SSE2)
    for (; i + 64 <= size; i += 64) {
        const __m128i *p = (const __m128i *)(const void *)(data + i);
        __m128i a = _mm_or_si128(_mm_loadu_si128(p), _mm_loadu_si128(p + 1));
        __m128i b = _mm_or_si128(_mm_loadu_si128(p + 2), _mm_loadu_si128(p + 3));
        if (_mm_movemask_epi8(_mm_or_si128(a, b))) {
            break;
        }
    }
    for (; i + 16 <= size; i += 16) {
        if (_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + i)))) {
            break;
        }
    }
#elif defined(WSF_ARM64)
    for (; i + 64 <= size; i += 64) {
        uint8x16_t a = vorrq_u8(vld1q_u8(data + i), vld1q_u8(data + i + 16));
        uint8x16_t b = vorrq_u8(vld1q_u8(data + i + 32), vld1q_u8(data + i + 48));
        if (vmaxvq_u8(vorrq_u8(a, b)) >= 0x80) {
            break;
        }
    }
#endif
    for (; i + 8 <= size; i += 8) {
        if (wsf_load64(data + i) & UINT64_C(0x8080808080808080)) {
            break;
        }
    }
    return i;
}

/* Size of the character at data, or 0 if it is bad or reaches over the end. */
WSF_INLINE size_t whole_character(const uint8_t *data, size_t size) {
    lead_entry lead = lead_of(data[0]);
    if (lead.need == 0 || size <= lead.need || data[1] < lead.low || data[1] > lead.high) {
        return 0;
    }
    if (lead.need >= 2 && (data[2] & 0xC0u) != 0x80u) {
        return 0;
    }
    if (lead.need >= 3 && (data[3] & 0xC0u) != 0x80u) {
        return 0;
    }
    return lead.need + (size_t)1;
}

void wsf_utf8_init(wsf_utf8 *validator) {
    validator->need = 0;
    validator->low = 0x80;
    validator->high = 0xBF;
}

/* Take one byte, inside a character or not ASCII; false if it is bad. */
static bool feed_byte(wsf_utf8 *v, uint8_t byte) {
    if (v->need == 0) {
        lead_entry lead = lead_of(byte);
        /* A bad lead leaves a state that no byte fits: the text stays bad. */
        v->need = lead.need ? lead.need : 1;
        v->low = lead.low;
        v->high = lead.high;
        return lead.need != 0;
    }
    if (byte < v->low || byte > v->high) {
        v->high = 0x00; /* below any low: no byte fits, the text stays bad */
        return false;
    }
    v->need--;
    v->low = 0x80;
    v->high = 0xBF;
    return true;
}

size_t wsf_utf8_feed(wsf_utf8 *validator, const uint8_t *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        if (validator->need == 0) {
            if (data[i] < 0x80) {
                size_t skipped = skip_ascii(data + i, size - i);
                i += skipped ? skipped : 1;
                continue;
            }
            size_t character = whole_character(data + i, size - i);
            if (character) {
                i += character;
                continue;
            }
        }
        if (!feed_byte(validator, data[i])) {
            return i;
        }
        i++;
    }
    return size;
}

bool wsf_utf8_finish(const wsf_utf8 *validator) {
    return validator->need == 0;
}

bool wsf_utf8_valid(const uint8_t *data, size_t size) {
    wsf_utf8 validator;
    wsf_utf8_init(&validator);
    return wsf_utf8_feed(&validator, data, size) == size && wsf_utf8_finish(&validator);
}
