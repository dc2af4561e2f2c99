/* The contracts of the functions, which the table of parser_cases.c cannot express.
 */
#include "check.h"
#include "guarded.h"
#include "wire.h"
#include "wsframe/wsframe.h"

static wsf_parser parser;
static wsf_frame frame;
static size_t consumed;

static void begin(uint8_t role, uint8_t mode) {
    wsf_parser_config config = {.role = role, .mode = mode, .check_utf8 = 1};
    CHECK_EQ(wsf_parser_init(&parser, &config), WSF_OK);
}

static int next(uint8_t *data, size_t size) {
    return wsf_parser_next(&parser, data, size, &consumed, &frame);
}

static void test_bad_config(void) {
    static const wsf_parser_config bad[] = {
        {.role = 2}, {.mode = 2}, {.rsv_allowed = 8}, {.rsv_continuation = 8}};
    uint8_t bytes[2] = {0x82, 0};
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(wsf_parser_init(&parser, &bad[i]), WSF_ERR_ARGUMENT);
        CHECK_EQ(wsf_parser_error(&parser), WSF_ERR_ARGUMENT);
        CHECK_EQ(next(bytes, 2), WSF_ERR_ARGUMENT);
    }
}

static void test_payload_stays_in_place(void) {
    uint8_t bytes[64];
    size_t size = wire_bytes("82 85 m=37fa213d \"Hello\"", bytes, sizeof bytes);
    begin(WSF_ROLE_SERVER, WSF_MODE_WHOLE);
    CHECK_EQ(next(bytes, size), WSF_FRAME);
    CHECK_EQ(consumed, size);
    CHECK(frame.payload == bytes + 6);
    CHECK(memcmp(bytes + 6, "Hello", 5) == 0);
    size = wire_bytes("89 85 m=37fa213d \"Hello\"", bytes, sizeof bytes);
    begin(WSF_ROLE_SERVER, WSF_MODE_STREAM);
    CHECK_EQ(next(bytes, size), WSF_FRAME);
    CHECK(frame.payload == bytes + 6);
}

/* A split control frame is collected inside the parser. */
static void test_held_control(void) {
    uint8_t bytes[64];
    size_t size = wire_bytes("89 85 m=37fa213d \"Hello\"", bytes, sizeof bytes);
    begin(WSF_ROLE_SERVER, WSF_MODE_STREAM);
    CHECK_EQ(next(bytes, 8), WSF_NEED_MORE);
    CHECK_EQ(consumed, 8);
    CHECK_EQ(wsf_parser_payload_size(&parser), 5);
    CHECK_EQ(wsf_parser_missing(&parser), 3);
    CHECK_EQ(next(bytes + 8, size - 8), WSF_FRAME);
    CHECK(frame.first && frame.last && frame.offset == 0 && frame.payload_size == 5);
    CHECK(memcmp(frame.payload, "Hello", 5) == 0);
    CHECK(frame.payload >= (uint8_t *)&parser && frame.payload < (uint8_t *)(&parser + 1));
}

/* Bytes already unmasked are not unmasked again, even if the caller moves them. */
static void test_moved_payload(void) {
    uint8_t bytes[64], moved[64];
    size_t size = wire_bytes("82 88 m=37fa213d \"abcdefgh\"", bytes, sizeof bytes);
    begin(WSF_ROLE_SERVER, WSF_MODE_WHOLE);
    CHECK_EQ(next(bytes, 9), WSF_NEED_MORE);
    CHECK_EQ(consumed, 6);
    CHECK(memcmp(bytes + 6, "abc", 3) == 0);
    CHECK_EQ(wsf_parser_payload_size(&parser), 8);
    CHECK_EQ(wsf_parser_missing(&parser), 5);
    CHECK_EQ(next(bytes + 6, 2), WSF_NEED_MORE); /* fewer than before: no effect */
    CHECK_EQ(consumed, 0);
    CHECK_EQ(wsf_parser_missing(&parser), 5);
    memcpy(moved, bytes + 6, size - 6);
    CHECK_EQ(next(moved, size - 6), WSF_FRAME);
    CHECK(memcmp(frame.payload, "abcdefgh", 8) == 0);
    CHECK_EQ(wsf_parser_payload_size(&parser), 0);
    CHECK_EQ(wsf_parser_missing(&parser), 0);
}

static void test_ignored_after_close(void) {
    uint8_t bytes[16];
    size_t size = wire_bytes("88 00 ff ff ff ff", bytes, sizeof bytes);
    begin(WSF_ROLE_CLIENT, WSF_MODE_WHOLE);
    CHECK(!wsf_parser_closed(&parser));
    CHECK_EQ(next(bytes, size), WSF_FRAME);
    CHECK_EQ(consumed, 2);
    CHECK(wsf_parser_closed(&parser));
    CHECK_EQ(next(bytes + 2, size - 2), WSF_NEED_MORE);
    CHECK_EQ(consumed, size - 2);
    CHECK_EQ(wsf_parser_error(&parser), WSF_OK);
    CHECK_EQ(wsf_parser_error_offset(&parser), 0);
}

/* The frame is not written unless there is one. */
static void test_frame_untouched(void) {
    wsf_frame before;
    memset(&frame, 0x5A, sizeof frame);
    before = frame;
    uint8_t bytes[16];
    size_t size = wire_bytes("88 02 03ed", bytes, sizeof bytes);
    begin(WSF_ROLE_CLIENT, WSF_MODE_WHOLE);
    CHECK_EQ(next(bytes, 3), WSF_NEED_MORE);
    CHECK_EQ(next(bytes + 2, size - 2), WSF_ERR_CLOSE_CODE);
    CHECK(memcmp(&frame, &before, sizeof frame) == 0);
    CHECK(!wsf_parser_closed(&parser));
}

static void test_stream_pieces(void) {
    uint8_t bytes[16];
    wire_bytes("82 05 \"Hello\"", bytes, sizeof bytes);
    begin(WSF_ROLE_CLIENT, WSF_MODE_STREAM);
    CHECK_EQ(next(bytes, 2), WSF_NEED_MORE);
    CHECK_EQ(consumed, 2);
    CHECK_EQ(next(bytes + 2, 2), WSF_FRAME);
    CHECK(frame.first && !frame.last && frame.offset == 0 && frame.payload_size == 2);
    CHECK_EQ(frame.frame_size, 5);
    CHECK_EQ(wsf_parser_missing(&parser), 3);
    CHECK_EQ(next(bytes + 4, 1), WSF_FRAME);
    CHECK(!frame.first && !frame.last && frame.offset == 2 && frame.payload_size == 1);
    CHECK_EQ(next(bytes + 5, 2), WSF_FRAME);
    CHECK(!frame.first && frame.last && frame.offset == 3 && frame.payload_size == 2);
}

/* Announced sizes that add up to more than 64 bits can hold, with and without limits. */
static void test_sum_does_not_wrap(void) {
    uint8_t bytes[32];
    size_t size = wire_bytes("02 01 \"a\" 80 7f 7fffffffffffffff", bytes, sizeof bytes);
    for (int limited = 0; limited < 2; limited++) {
        wsf_parser_config config = {.mode = WSF_MODE_STREAM,
                                    .max_message_size = limited ? INT64_MAX : 0};
        CHECK_EQ(wsf_parser_init(&parser, &config), WSF_OK);
        CHECK_EQ(next(bytes, size), WSF_FRAME);
        CHECK_EQ(next(bytes + 3, size - 3), limited ? WSF_ERR_MESSAGE_TOO_BIG : WSF_NEED_MORE);
        CHECK_EQ(wsf_parser_missing(&parser), limited ? 0 : INT64_MAX);
    }
}

/* A contiguous payload cannot be larger than the address space. */
static void test_largest_whole_frame(void) {
    uint8_t bytes[32];
    size_t size = wire_bytes("82 7f 7fffffffffffffff", bytes, sizeof bytes);
    begin(WSF_ROLE_CLIENT, WSF_MODE_WHOLE);
    bool reachable = SIZE_MAX > UINT32_MAX;
    CHECK_EQ(next(bytes, size), reachable ? WSF_NEED_MORE : WSF_ERR_FRAME_TOO_BIG);
}

int main(void) {
    test_sum_does_not_wrap();
    test_largest_whole_frame();
    test_bad_config();
    test_payload_stays_in_place();
    test_held_control();
    test_moved_payload();
    test_ignored_after_close();
    test_frame_untouched();
    test_stream_pieces();
    return check_result();
}
