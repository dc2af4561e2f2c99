/* Round trip: the parser must return a valid sequence of built frames unchanged.
 *
 * Input: role, mode, size of the pieces, then for each frame its kind, its size and its key.
 */
#include "input.h"
#include "wsframe/wsframe.h"

#define MAX_FRAMES 64
#define MAX_STREAM (1 << 18)

typedef struct sent {
    wsf_header header;
    size_t payload_at; /* in `plain` */
} sent;

static sent frames[MAX_FRAMES];
static uint8_t plain[MAX_STREAM], stream[MAX_STREAM];

/* `room` limits large frames: a few of them test as much as many, which would be slow. */
static size_t pick_size(input *in, bool control, int *room) {
    uint8_t kind = take_byte(in);
    size_t small = take_byte(in);
    bool large = (kind & 2) != 0 && !control && (*room)-- > 0;
    switch (control ? 0 : large ? kind & 3 : kind & 1) {
    case 0:
        return small % 126;
    case 1:
        return 120 + small % 16;
    case 2:
        return small << 8 | kind;
    default:
        return 65530 + small % 12;
    }
}

/* Encode frames until the input or the room ends; returns how many. */
static size_t build(input *in, bool masked, size_t *stream_size) {
    size_t count = 0, plain_size = 0;
    bool in_message = false;
    int room = 2;
    *stream_size = 0;
    while (in->size && count < MAX_FRAMES) {
        uint8_t kind = take_byte(in);
        bool control = (kind & 3) == 3;
        sent *f = &frames[count];
        memset(f, 0, sizeof *f);
        f->header.fin = control || kind >> 2 & 1;
        f->header.opcode = control      ? (kind & 8 ? WSF_OP_PING : WSF_OP_PONG)
                           : in_message ? WSF_OP_CONTINUATION
                                        : WSF_OP_BINARY;
        f->header.rsv = control || in_message ? 0 : kind >> 4 & 7;
        f->header.masked = masked;
        size_t size = pick_size(in, control, &room);
        uint32_t key = take_word(in);
        if (masked) {
            memcpy(f->header.mask_key, &key, 4);
        }
        if (*stream_size + size + WSF_MAX_HEADER_SIZE > MAX_STREAM) {
            break;
        }
        f->header.payload_size = size;
        f->payload_at = plain_size;
        for (size_t i = 0; i < size; i++) {
            plain[plain_size + i] = (uint8_t)(key >> 8 * (i % 3)) + (uint8_t)i;
        }
        *stream_size += wsf_frame_encode(stream + *stream_size, &f->header, plain + plain_size);
        plain_size += size;
        in_message = control ? in_message : !f->header.fin;
        count++;
    }
    return count;
}

static void compare(const sent *s, const wsf_frame *f, uint64_t offset) {
    REQUIRE(f->opcode == s->header.opcode && f->fin == s->header.fin && f->rsv == s->header.rsv);
    REQUIRE(f->frame_size == s->header.payload_size && f->offset == offset);
    REQUIRE(memcmp(f->payload, plain + s->payload_at + offset, f->payload_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    uint8_t flags = take_byte(&in);
    size_t step = (take_byte(&in) + (size_t)1) << (flags >> 4);
    wsf_parser_config config = {.role = flags & 1, .mode = flags >> 1 & 1, .rsv_allowed = 7};
    size_t stream_size;
    size_t count = build(&in, config.role == WSF_ROLE_SERVER, &stream_size);

    wsf_parser parser;
    REQUIRE(wsf_parser_init(&parser, &config) == WSF_OK);
    size_t begin = 0, end = 0, received = 0;
    uint64_t offset = 0;
    while (end < stream_size) {
        end = stream_size - end < step ? stream_size : end + step;
        size_t consumed = 0;
        wsf_frame frame;
        int result;
        while ((result = wsf_parser_next(&parser, stream + begin, end - begin, &consumed,
                                         &frame)) == WSF_FRAME) {
            begin += consumed;
            REQUIRE(received < count);
            compare(&frames[received], &frame, offset);
            offset = frame.last ? 0 : offset + frame.payload_size;
            received += frame.last;
        }
        REQUIRE(result == WSF_NEED_MORE);
        begin += consumed;
    }
    REQUIRE(received == count && begin == stream_size && wsf_parser_missing(&parser) == 0);
    return 0;
}
