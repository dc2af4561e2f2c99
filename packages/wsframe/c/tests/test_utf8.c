/*
 * UTF-8 validation against the grammar of RFC 3629, section 4, restated as rows of ranges.
 */
#include <stdlib.h>

#include "check.h"
#include "guarded.h"
#include "wsframe/wsframe.h"

typedef struct row {
    size_t size;
    uint8_t ranges[4][2];
} row;

static const row grammar[] = {
    {1, {{0x00, 0x7F}}},
    {2, {{0xC2, 0xDF}, {0x80, 0xBF}}},
    {3, {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}}},
    {3, {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {3, {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}}},
    {3, {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {4, {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {4, {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {4, {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}},
};

/* How many bytes of `data` can begin a text; `whole` is set to whether a text may end there. */
static size_t good_bytes(const uint8_t *data, size_t size, bool *whole) {
    size_t at = 0;
    *whole = true;
    while (at < size) {
        size_t best = 0, needed = 0;
        for (size_t r = 0; r < sizeof grammar / sizeof grammar[0]; r++) {
            const row *g = &grammar[r];
            size_t n = 0;
            while (n < g->size && at + n < size && data[at + n] >= g->ranges[n][0] &&
                   data[at + n] <= g->ranges[n][1]) {
                n++;
            }
            if (n > best) {
                best = n;
                needed = g->size;
            }
        }
        at += best;
        if (best == 0 || best < needed) {
            *whole = false;
            return at;
        }
    }
    return at;
}

static void check_text(const uint8_t *text, size_t size) {
    bool whole;
    size_t good = good_bytes(text, size, &whole);
    wsf_utf8 v;
    wsf_utf8_init(&v);
    size_t fed = wsf_utf8_feed(&v, text, size);
    if (fed != good || wsf_utf8_finish(&v) != whole || wsf_utf8_valid(text, size) != whole) {
        CHECK_EQ(fed, good);
        CHECK_EQ(wsf_utf8_finish(&v), whole);
        for (size_t i = 0; i < size; i++) {
            printf(" %02x", text[i]);
        }
        printf("\n");
    }
}

/* The result is the same wherever the text is cut in two. */
static void check_splits(const guarded *g, const uint8_t *text, size_t size) {
    bool whole;
    size_t good = good_bytes(text, size, &whole);
    for (size_t cut = 0; cut <= size; cut++) {
        wsf_utf8 v;
        wsf_utf8_init(&v);
        size_t fed = wsf_utf8_feed(&v, guarded_copy(g, text, cut), cut);
        if (fed == cut) {
            fed += wsf_utf8_feed(&v, guarded_copy(g, text + cut, size - cut), size - cut);
        } else {
            CHECK_EQ(wsf_utf8_feed(&v, text, size), 0); /* it stays invalid */
        }
        CHECK_EQ(fed, good);
        CHECK_EQ(wsf_utf8_finish(&v), whole);
    }
}

/* After an invalid byte nothing is valid, not even a byte that would have been valid there. */
static void test_stays_bad(void) {
    static const char *const begun[] = {"\xC3(", "\xE2\x82(", "\xF0(", "\xED\xA0", "\xFF", "\x80"};
    for (size_t i = 0; i < sizeof begun / sizeof begun[0]; i++) {
        wsf_utf8 v;
        wsf_utf8_init(&v);
        size_t size = strlen(begun[i]);
        CHECK_EQ(wsf_utf8_feed(&v, (const uint8_t *)begun[i], size), size - 1);
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t next = (uint8_t)byte;
            CHECK_EQ(wsf_utf8_feed(&v, &next, 1), 0);
            CHECK(!wsf_utf8_finish(&v));
        }
    }
}

/* All texts of up to three bytes, and of four with the edges of every range. */
static void test_all_short(void) {
    uint8_t t[4];
    for (unsigned n = 0; n < 0x1000000; n++) {
        t[0] = (uint8_t)(n >> 16);
        t[1] = (uint8_t)(n >> 8);
        t[2] = (uint8_t)n;
        if (t[0] < 0x7E && t[0] > 2) {
            continue; /* ASCII has few kinds */
        }
        check_text(t, 3);
        if (t[2] == 0) {
            check_text(t, 2);
            check_text(t, 1);
        }
    }
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                    0xBF, 0xC0, 0xC2, 0xE0, 0xF0, 0xF4, 0xFF};
    size_t count = sizeof edges;
    for (unsigned lead = 0xC0; lead < 256; lead++) {
        for (size_t n = 0; n < count * count * count; n++) {
            t[0] = (uint8_t)lead;
            t[1] = edges[n % count];
            t[2] = edges[n / count % count];
            t[3] = edges[n / count / count];
            check_text(t, 4);
        }
    }
}

/* One interesting character at every place of ASCII texts of every length, cut everywhere. */
static void test_places(const guarded *g) {
    static const char *const pieces[] = {
        "\x7F",         "\xC3\xBC", "\xE2\x82\xAC",     "\xF0\x9F\x98\x80",
        "\x80",         "\xC3",     "\xE2\x82",         "\xF0\x9F\x98",
        "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80", "\xFF"};
    uint8_t text[160];
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        size_t piece = strlen(pieces[p]);
        for (size_t size = piece; size <= 150; size += size < 40 ? 1 : 11) {
            for (size_t at = 0; at + piece <= size; at += size < 40 ? 1 : 5) {
                memset(text, 'a', size);
                memcpy(text + at, pieces[p], piece);
                check_text(guarded_copy(g, text, size), size);
                check_splits(g, text, size);
            }
        }
    }
}

static void test_random(const guarded *g) {
    static const uint8_t likely[] = {'a', 'z', 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0x9F};
    uint32_t random = 7;
    uint8_t text[64];
    for (int round = 0; round < 20000; round++) {
        random = random * 1664525u + 1013904223u;
        size_t size = random >> 26;
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525u + 1013904223u;
            text[i] = likely[(random >> 16) % sizeof likely];
        }
        check_splits(g, text, size);
    }
}

int main(void) {
    guarded g = guarded_new(256);
    wsf_utf8 v;
    wsf_utf8_init(&v);
    CHECK_EQ(wsf_utf8_feed(&v, NULL, 0), 0);
    CHECK(wsf_utf8_finish(&v));
    CHECK(wsf_utf8_valid(NULL, 0));
    test_stays_bad();
    test_all_short();
    test_places(&g);
    test_random(&g);
    return check_result();
}
