/*
 * Close codes and CLOSE payloads.
 */
#include "check.h"
#include "guarded.h"
#include "wsframe/wsframe.h"

static void test_codes(void) {
    for (uint32_t code = 0; code <= 70000; code++) {
        bool registered =
            code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
        bool application = code >= 3000 && code <= 4999;
        CHECK_EQ(wsf_close_code_valid(code), registered || application);
    }
    CHECK(!wsf_close_code_valid(UINT32_MAX));
}

static void test_decode(const guarded *g) {
    wsf_close close;
    CHECK_EQ(wsf_close_decode(&close, NULL, 0), WSF_OK);
    CHECK_EQ(close.code, WSF_CLOSE_NO_STATUS);
    CHECK_EQ(close.reason_size, 0);
    CHECK(close.reason == NULL);

    uint8_t *payload = guarded_copy(g, "\x03\xE8", 2);
    CHECK_EQ(wsf_close_decode(&close, payload, 2), WSF_OK);
    CHECK_EQ(close.code, 1000);
    CHECK_EQ(close.reason_size, 0);

    payload = guarded_copy(g, "\x0F\xA0gr\xC3\xBC\xC3\x9F", 8);
    CHECK_EQ(wsf_close_decode(&close, payload, 8), WSF_OK);
    CHECK_EQ(close.code, 4000);
    CHECK_EQ(close.reason_size, 6);
    CHECK(close.reason == payload + 2);

    CHECK_EQ(wsf_close_decode(&close, payload, 1), WSF_ERR_CLOSE_SIZE);
    CHECK_EQ(wsf_close_decode(&close, payload, 5), WSF_ERR_CLOSE_UTF8);
    CHECK_EQ(wsf_close_decode(&close, guarded_copy(g, "\x03\xED", 2), 2), WSF_ERR_CLOSE_CODE);
    CHECK_EQ(wsf_close_decode(&close, guarded_copy(g, "\x03\xE8\xFF", 3), 3), WSF_ERR_CLOSE_UTF8);
    uint8_t longest[126] = {0x03, 0xE8};
    CHECK_EQ(wsf_close_decode(&close, guarded_copy(g, longest, 125), 125), WSF_OK);
    CHECK_EQ(close.reason_size, WSF_MAX_CLOSE_REASON_SIZE);
    CHECK_EQ(wsf_close_decode(&close, longest, 126), WSF_ERR_CONTROL_TOO_LONG);
}

static void test_encode(const guarded *g) {
    uint8_t reason[124];
    memset(reason, 'r', sizeof reason);
    CHECK_EQ(wsf_close_encode(g->end, WSF_CLOSE_NO_STATUS, NULL, 0), 0);
    CHECK_EQ(wsf_close_encode(g->end, WSF_CLOSE_NO_STATUS, reason, 1), WSF_ERR_CONTROL_TOO_LONG);
    uint8_t *out = g->end - 2;
    CHECK_EQ(wsf_close_encode(out, 1000, NULL, 0), 2);
    CHECK(memcmp(out, "\x03\xE8", 2) == 0);
    out = g->end - 125;
    CHECK_EQ(wsf_close_encode(out, 4999, reason, 123), 125);
    CHECK(memcmp(out, "\x13\x87r", 3) == 0 && out[124] == 'r');
    CHECK_EQ(wsf_close_encode(out, 1000, reason, 124), WSF_ERR_CONTROL_TOO_LONG);
    CHECK_EQ(wsf_close_encode(out, 1006, reason, 1), WSF_ERR_CLOSE_CODE);
    CHECK_EQ(wsf_close_encode(out, 66536, reason, 1), WSF_ERR_CLOSE_CODE);
    CHECK_EQ(wsf_close_encode(out, 1000, (const uint8_t *)"\xC3", 1), WSF_ERR_CLOSE_UTF8);
}

int main(void) {
    guarded g = guarded_new(256);
    test_codes();
    test_decode(&g);
    test_encode(&g);
    return check_result();
}
