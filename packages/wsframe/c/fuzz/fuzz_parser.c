/* Stream parser: whole frames and streaming, at once and in pieces, must give the same result.
 *
 * Input: configuration (4 bytes), size of the pieces (1), then the stream.
 */
#include "input.h"
#include "wsframe/wsframe.h"

/* The result of a run: a hash of all frames, and the end. */
typedef struct story {
    uint64_t hash;
    uint64_t frames;
    uint64_t error_offset;
    int error;
    bool closed;
} story;

static uint64_t mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15) + (hash >> 29);
}

/* Add a frame to the hash; all pieces of a frame together have the same effect as the whole. */
static uint64_t tell(story *s, const wsf_frame *f, uint64_t partial) {
    REQUIRE(f->offset + f->payload_size <= f->frame_size);
    REQUIRE(f->first == (f->offset == 0));
    REQUIRE(f->last == (f->offset + f->payload_size == f->frame_size));
    for (size_t i = 0; i < f->payload_size; i++) {
        partial = mix(partial, f->payload[i]);
    }
    if (!f->last) {
        REQUIRE(f->payload_size > 0);
        return partial;
    }
    s->hash = mix(s->hash, partial);
    s->hash = mix(s->hash, f->frame_size);
    s->hash = mix(s->hash, (uint64_t)(f->opcode | f->message_opcode << 8 | f->fin << 16));
    s->hash = mix(s->hash, (uint64_t)(f->rsv | f->message_rsv << 8 | f->close_code << 16));
    s->frames++;
    return 0;
}

static story run(const wsf_parser_config *config, const uint8_t *data, size_t size, size_t step) {
    story s = {0};
    uint64_t partial = 0;
    wsf_parser parser;
    REQUIRE(wsf_parser_init(&parser, config) == WSF_OK);
    uint8_t *left = exact_copy(NULL, 0);
    size_t left_size = 0, at = 0;
    int result = WSF_NEED_MORE;
    while (at < size && result >= 0) {
        size_t n = size - at < step ? size - at : step;
        size_t total = left_size + n;
        uint8_t *chunk = malloc(total); /* at least one byte */
        REQUIRE(chunk);
        memcpy(chunk, left, left_size);
        memcpy(chunk + left_size, data + at, n);
        at += n;
        size_t done = 0, consumed = 0;
        wsf_frame frame;
        while ((result = wsf_parser_next(&parser, chunk + done, total - done, &consumed, &frame)) ==
               WSF_FRAME) {
            done += consumed;
            REQUIRE(done <= total);
            partial = tell(&s, &frame, partial);
        }
        done += consumed;
        REQUIRE(done <= total);
        REQUIRE(result < 0 || config->mode == WSF_MODE_WHOLE || done == total);
        free_copy(left, left_size);
        left_size = total - done;
        left = exact_copy(chunk + done, left_size);
        free(chunk);
    }
    free_copy(left, left_size);
    s.error = wsf_parser_error(&parser);
    REQUIRE(result >= 0 || s.error == result);
    s.error_offset = wsf_parser_error_offset(&parser);
    s.closed = wsf_parser_closed(&parser);
    REQUIRE(s.error_offset <= size);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint64_t limits[4] = {0, 16, 300, 70000};
    input in = {data, size};
    uint8_t a = take_byte(&in), b = take_byte(&in), c = take_byte(&in), d = take_byte(&in);
    size_t step = take_byte(&in) + (size_t)1;
    wsf_parser_config config = {.role = a & 1,
                                .check_utf8 = a >> 1 & 1,
                                .rsv_allowed = b & 7,
                                .rsv_continuation = b >> 4 & 7,
                                .max_frame_size = limits[c & 3],
                                .max_message_size = limits[c >> 2 & 3],
                                .max_fragments = d & 15};
    story first = run(&config, in.data, in.size, in.size + 1);
    for (int i = 1; i < 4; i++) {
        config.mode = i & 1 ? WSF_MODE_STREAM : WSF_MODE_WHOLE;
        story other = run(&config, in.data, in.size, i & 2 ? step : in.size + 1);
        REQUIRE(other.error == first.error && other.error_offset == first.error_offset);
        REQUIRE(other.hash == first.hash && other.frames == first.frames);
        REQUIRE(other.closed == first.closed);
    }
    return 0;
}
