/*
 * Incremental UTF-8 validation (RFC 3629).
 * Runs of ASCII are skipped 64 or 16 bytes at a time, and whole characters are checked at once.
 * Bytes are fed one by one only if a piece begins or ends inside a character, or a byte is invalid.
 * It never reads outside the piece.
 */
#include "wsframe/utf8.h"

#include "platform.h"

#if defined(WSF_ALWAYS_SSE2)
#include <emmintrin.h>
#elif defined(WSF_ARM64)
#include <arm_neon.h>
#endif

/* The number of continuation bytes after a byte that is not ASCII, and the range of the first one.
 * The others are between 0x80 and 0xBF. */
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

#if defined(WSF_ALWAYS_SSE2)

/* A bit for each of 16 bytes: whether it is not ASCII. */
WSF_INLINE uint32_t high_bits(const uint8_t *data) {
    return (uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)data));
}

/* Whether 64 bytes are ASCII. */
WSF_INLINE bool block_is_ascii(const uint8_t *data) {
    const __m128i *p = (const __m128i *)(const void *)data;
    __m128i a = _mm_or_si128(_mm_loadu_si128(p), _mm_loadu_si128(p + 1));
    __m128i b = _mm_or_si128(_mm_loadu_si128(p + 2), _mm_loadu_si128(p + 3));
    return _mm_movemask_epi8(_mm_or_si128(a, b)) == 0;
}

#else

/* The same in portable C; any set bit from the first byte that is not ASCII on is sufficient. */
WSF_INLINE uint32_t high_bits(const uint8_t *data) {
    uint32_t bits = 0;
    for (unsigned i = 0; i < 16; i += 8) {
        if (wsf_load64(data + i) & UINT64_C(0x8080808080808080)) {
            for (unsigned j = i; j < i + 8; j++) {
                bits |= (uint32_t)(data[j] >> 7) << j;
            }
            return bits;
        }
    }
    return bits;
}

WSF_INLINE bool block_is_ascii(const uint8_t *data) {
#if defined(WSF_ARM64)
    uint8x16_t a = vorrq_u8(vld1q_u8(data), vld1q_u8(data + 16));
    uint8x16_t b = vorrq_u8(vld1q_u8(data + 32), vld1q_u8(data + 48));
    return vmaxvq_u8(vorrq_u8(a, b)) < 0x80;
#else
    uint64_t all = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        all |= wsf_load64(data + i);
    }
    return (all & UINT64_C(0x8080808080808080)) == 0;
#endif
}

#endif

/* The number of leading ASCII bytes; stops early if less than 16 bytes are left. */
WSF_INLINE size_t skip_ascii(const uint8_t *data, size_t size) {
    size_t i = 0;
    while (i + 16 <= size) {
        uint32_t bits = high_bits(data + i);
        if (bits) {
            return i + wsf_trailing_zeros(bits);
        }
        i += 16;
        while (i + 64 <= size && block_is_ascii(data + i)) {
            i += 64;
        }
    }
    return i;
}

WSF_INLINE bool continues(uint8_t byte) {
    return (byte & 0xC0u) == 0x80u;
}

/* Size of the non-ASCII character at data; 0 if it is invalid or extends beyond the end. */
WSF_INLINE size_t whole_character(const uint8_t *data, size_t size) {
    uint8_t lead = data[0];
    if (lead < 0xE0) {
        return lead >= 0xC2 && size >= 2 && continues(data[1]) ? 2 : 0;
    }
    if (lead < 0xF0) {
        /* E0 begins overlong forms of two-byte characters, ED surrogates. */
        if (size < 3 || !continues(data[1]) || !continues(data[2]) ||
            (lead == 0xE0 && data[1] < 0xA0) || (lead == 0xED && data[1] > 0x9F)) {
            return 0;
        }
        return 3;
    }
    /* F0 begins overlong forms of three-byte characters, F4 characters over U+10FFFF. */
    if (size < 4 || lead > 0xF4 || !continues(data[1]) || !continues(data[2]) ||
        !continues(data[3]) || (lead == 0xF0 && data[1] < 0x90) ||
        (lead == 0xF4 && data[1] > 0x8F)) {
        return 0;
    }
    return 4;
}

void wsf_utf8_init(wsf_utf8 *validator) {
    validator->need = 0;
    validator->low = 0x80;
    validator->high = 0xBF;
}

/* Take one byte, inside a character or not ASCII; return false if it is invalid. */
static bool feed_byte(wsf_utf8 *v, uint8_t byte) {
    if (v->need == 0) {
        lead_entry lead = lead_of(byte);
        /* An invalid lead byte sets a state that accepts no byte: the text stays invalid. */
        v->need = lead.need ? lead.need : 1;
        v->low = lead.low;
        v->high = lead.high;
        return lead.need != 0;
    }
    if (byte < v->low || byte > v->high) {
        v->high = 0x00; /* below any low: no byte is accepted, the text stays invalid */
        return false;
    }
    v->need--;
    v->low = 0x80;
    v->high = 0xBF;
    return true;
}

/* The number of leading bytes that are complete characters. */
WSF_INLINE size_t skip_characters(const uint8_t *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        if (data[i] < 0x80) {
            size_t skipped = skip_ascii(data + i, size - i);
            i += skipped ? skipped : 1;
        } else {
            size_t character = whole_character(data + i, size - i);
            if (character == 0) {
                break;
            }
            i += character;
        }
    }
    return i;
}

size_t wsf_utf8_feed(wsf_utf8 *validator, const uint8_t *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        if (validator->need == 0) {
            i += skip_characters(data + i, size - i);
            if (i == size) {
                break;
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
