/*
 * The header codec: every pair of first bytes, every length's edges, truncation at every byte.
 */
#include <stdlib.h>

#include "check.h"
#include "guarded.h"
#include "wsframe/wsframe.h"

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

static const uint64_t sizes[] = {0,
                                 1,
                                 124,
                                 125,
                                 126,
                                 127,
                                 255,
                                 256,
                                 65534,
                                 65535,
                                 65536,
                                 0x12345678,
                                 UINT64_C(0x123456789ABCDEF),
                                 UINT64_C(0x7FFFFFFFFFFFFFFF)};

/* The rules of RFC 6455 for the first two bytes, restated. */
static int first_bytes(uint8_t b0, uint8_t b1) {
    unsigned opcode = b0 & 15u, length = b1 & 127u;
    if ((opcode > 2 && opcode < 8) || opcode > 10) {
        return WSF_ERR_OPCODE;
    }
    if (opcode >= 8 && b0 < 0x80) {
        return WSF_ERR_CONTROL_FRAGMENTED;
    }
    return opcode >= 8 && length > 125 ? WSF_ERR_CONTROL_TOO_LONG : WSF_OK;
}

static void test_first_bytes(const guarded *g) {
    wsf_header h;
    for (unsigned b0 = 0; b0 < 256; b0++) {
        for (unsigned b1 = 0; b1 < 256; b1++) {
            uint8_t bytes[2] = {(uint8_t)b0, (uint8_t)b1};
            CHECK_EQ(wsf_header_decode(&h, guarded_copy(g, bytes, 1), 1), 0);
            int result = wsf_header_decode(&h, guarded_copy(g, bytes, 2), 2);
            int error = first_bytes(bytes[0], bytes[1]);
            if (error || b1 > 125) {
                CHECK_EQ(result, error);
            } else {
                CHECK_EQ(result, 2);
                CHECK_EQ(h.fin, b0 >> 7);
                CHECK_EQ(h.rsv, b0 >> 4 & 7);
                CHECK_EQ(h.opcode, b0 & 15);
                CHECK_EQ(h.payload_size, b1);
                CHECK_EQ(h.masked, 0);
            }
        }
    }
    CHECK_EQ(wsf_header_decode(&h, NULL, 0), 0);
}

static void test_round_trip(const guarded *g) {
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned bits = 0; bits < 256; bits++) {
            wsf_header in = {.payload_size = sizes[i],
                             .opcode = bits & 3,
                             .fin = bits >> 2 & 1,
                             .rsv = bits >> 3 & 7,
                             .masked = bits >> 6 & 1};
            if (in.opcode == 3) {
                continue;
            }
            if (in.masked) {
                memcpy(in.mask_key, key, 4);
            }
            size_t size = wsf_header_size(in.payload_size, in.masked);
            uint8_t *at = g->end - size;
            CHECK_EQ(wsf_header_encode(at, &in), size);
            CHECK(wsf_header_encode_before(g->end, &in) == at);
            wsf_header out;
            for (size_t cut = 0; cut < size; cut++) {
                uint8_t part[WSF_MAX_HEADER_SIZE];
                memcpy(part, at, cut);
                CHECK_EQ(wsf_header_decode(&out, guarded_copy(g, part, cut), cut), 0);
                wsf_header_encode(at, &in);
            }
            CHECK_EQ(wsf_header_decode(&out, at, size), size);
            CHECK(out.payload_size == in.payload_size && out.opcode == in.opcode &&
                  out.fin == in.fin && out.rsv == in.rsv && out.masked == in.masked);
            CHECK(memcmp(out.mask_key, in.mask_key, 4) == 0);
        }
    }
}

static void test_lengths(void) {
    static const struct {
        const char *bytes;
        int size, result;
    } cases[] = {
        {"\x82\x7E\x00\x7D", 4, WSF_ERR_LENGTH_NOT_SHORTEST},
        {"\x82\x7E\x00\x7E", 4, 4},
        {"\x82\xFE\x00\x00\x01\x02\x03\x04", 8, WSF_ERR_LENGTH_NOT_SHORTEST},
        {"\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF", 10, WSF_ERR_LENGTH_NOT_SHORTEST},
        {"\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10, 10},
        {"\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00", 10, WSF_ERR_LENGTH_TOP_BIT},
        {"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04", 14, WSF_ERR_LENGTH_TOP_BIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wsf_header h;
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        CHECK_EQ(wsf_header_decode(&h, bytes, (size_t)cases[i].size), cases[i].result);
        CHECK_EQ(wsf_header_decode(&h, bytes, (size_t)cases[i].size - 1), 0);
    }
}

static void test_any_nonzero_is_one(void) {
    wsf_header in = {.payload_size = 1, .opcode = 2, .fin = 128, .masked = 2};
    uint8_t out[WSF_MAX_HEADER_SIZE];
    CHECK_EQ(wsf_header_encode(out, &in), 6);
    CHECK(out[0] == 0x82 && out[1] == 0x81);
}

/* The example of RFC 6455, 5.7, and every size around the forms of the length. */
static void test_frame(const guarded *g) {
    wsf_header h = {.payload_size = 5, .opcode = WSF_OP_TEXT, .fin = 1, .masked = 1};
    memcpy(h.mask_key, key, 4);
    uint8_t *out = g->end - 11;
    CHECK_EQ(wsf_frame_encode(out, &h, (const uint8_t *)"Hello"), 11);
    CHECK(memcmp(out, "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", 11) == 0);
    h.masked = 0;
    out = g->end - 7;
    CHECK_EQ(wsf_frame_encode(out, &h, (const uint8_t *)"Hello"), 7);
    CHECK(memcmp(out, "\x81\x05Hello", 7) == 0);

    /* The payload may already be in place. */
    memcpy(out + 2, "olleH", 5);
    CHECK_EQ(wsf_frame_encode(out, &h, out + 2), 7);
    CHECK(memcmp(out, "\x81\x05olleH", 7) == 0);
    h.masked = 1;
    out = g->end - 11;
    memcpy(out + 6, "Hello", 5);
    CHECK_EQ(wsf_frame_encode(out, &h, out + 6), 11);
    CHECK(memcmp(out + 6, "\x7F\x9F\x4D\x51\x58", 5) == 0);

    h.payload_size = 0;
    out = g->end - 6;
    CHECK_EQ(wsf_frame_encode(out, &h, NULL), 6);
    h.masked = 0;
    out = g->end - 2;
    CHECK_EQ(wsf_frame_encode(out, &h, NULL), 2);
}

int main(void) {
    guarded g = guarded_new(256);
    test_first_bytes(&g);
    test_round_trip(&g);
    test_lengths();
    test_any_nonzero_is_one();
    test_frame(&g);
    return check_result();
}
