/* The stream parser. It keeps the state that spans frames; header_codec.h decodes single headers.
 *
 * It must never process a byte again that it has already unmasked, and never check a payload before
 * the limits in its header.
 *
 *   state     input                          next state
 *   HEADER    an incomplete header           HEADER, its bytes held
 *   HEADER    a valid header                 PAYLOAD
 *   PAYLOAD   less than the whole payload    PAYLOAD
 *   PAYLOAD   the end of a payload           HEADER, or CLOSED after a CLOSE frame
 *   CLOSED    anything                       CLOSED, ignored
 *   any       an error                       FAILED, which repeats the error
 */
#include "wsframe/parser.h"

#include "header_codec.h"
#include "wsframe/close.h"
#include "wsframe/mask.h"

enum { STATE_HEADER, STATE_PAYLOAD, STATE_CLOSED, STATE_FAILED };

static int fail(wsf_parser *p, int error, uint64_t offset) {
    p->state = STATE_FAILED;
    p->error = error;
    p->error_offset = offset;
    return error;
}

/* -- headers */

/* Complete a header of which some bytes came before. `used` receives the number of bytes taken. */
static int decode_held(wsf_parser *p, const uint8_t *data, size_t size, size_t *used) {
    size_t i = 0;
    int result = 0;
    while (result == 0 && i < size) {
        p->held[p->held_size++] = data[i++];
        result = wsf_decode(&p->header, p->held, p->held_size);
    }
    if (result != 0) {
        p->held_size = 0;
    }
    *used = i;
    return result;
}

/* Begin a message with its first frame, after checking reserved bits and the order of frames. */
static int begin_message(wsf_parser *p) {
    const wsf_header *h = &p->header;
    if (WSF_UNLIKELY(h->rsv & ~p->config.rsv_allowed)) {
        return WSF_ERR_RESERVED_BITS;
    }
    if (WSF_UNLIKELY(p->message_opcode)) {
        return WSF_ERR_INSIDE_MESSAGE;
    }
    p->message_opcode = h->opcode;
    p->message_rsv = h->rsv;
    p->message_size = 0;
    p->fragments = 0;
    p->is_text = p->config.check_utf8 && h->opcode == WSF_OP_TEXT && !(h->rsv & WSF_RSV1);
    return WSF_OK;
}

static int continue_message(const wsf_parser *p) {
    if (p->header.rsv & ~p->config.rsv_continuation) {
        return WSF_ERR_RESERVED_BITS;
    }
    return p->message_opcode ? WSF_OK : WSF_ERR_NO_MESSAGE;
}

/* Check a complete header against role, message and limits, before any payload. */
static int check_header(wsf_parser *p) {
    const wsf_header *h = &p->header;
    if (WSF_UNLIKELY(h->masked != (p->config.role == WSF_ROLE_SERVER))) {
        return h->masked ? WSF_ERR_MASKED : WSF_ERR_NOT_MASKED;
    }
    if (WSF_UNLIKELY(wsf_is_control(h->opcode))) {
        return h->rsv ? WSF_ERR_RESERVED_BITS : WSF_OK;
    }
    bool begins = WSF_LIKELY(h->opcode != WSF_OP_CONTINUATION);
    int error = begins ? begin_message(p) : continue_message(p);
    if (WSF_UNLIKELY(error)) {
        return error;
    }
    if (h->payload_size > p->config.max_frame_size) {
        return WSF_ERR_FRAME_TOO_BIG;
    }
    if (h->payload_size > p->config.max_message_size - p->message_size) {
        return WSF_ERR_MESSAGE_TOO_BIG;
    }
    if (p->fragments >= p->config.max_fragments) {
        return WSF_ERR_TOO_MANY_FRAGMENTS;
    }
    p->message_size += h->payload_size;
    p->fragments++;
    return WSF_OK;
}

/* Read a header: return 1 if it is complete, 0 if bytes are missing, or an error. */
WSF_INLINE int read_header(wsf_parser *p, const uint8_t *data, size_t size, size_t *used) {
    int result;
    if (WSF_LIKELY(p->held_size == 0)) {
        result = wsf_decode(&p->header, data, size);
        if (result == 0) {
            /* These are fewer bytes than the longest header, or it would have been decoded. */
            if (size != 0) {
                memcpy(p->held, data, size);
            }
            p->held_size = (uint8_t)size;
            *used = size;
            return 0;
        }
        *used = (size_t)(result > 0 ? result : 0);
    } else {
        result = decode_held(p, data, size, used);
    }
    if (result > 0) {
        p->header_size = (uint8_t)result;
        p->done = 0;
        p->state = STATE_PAYLOAD;
        result = check_header(p);
        if (WSF_LIKELY(result == WSF_OK)) {
            return 1;
        }
    }
    return result == 0 ? 0 : fail(p, result, p->position);
}

/* -- payloads */

/* Unmask and check the next bytes of the payload, in place. */
WSF_INLINE int absorb(wsf_parser *p, uint8_t *data, size_t size) {
    if (WSF_LIKELY(p->header.masked)) {
        wsf_mask(data, size, p->header.mask_key, (size_t)(p->done & 3));
    }
    if (p->is_text && !wsf_is_control(p->header.opcode)) {
        size_t good = wsf_utf8_feed(&p->utf8, data, size);
        if (good != size) {
            return fail(p, WSF_ERR_UTF8, p->position + p->header_size + p->done + good);
        }
    }
    p->done += size;
    return WSF_OK;
}

/* Finish a frame: do the checks that need the whole payload, and go to the next state. */
WSF_INLINE int finish_frame(wsf_parser *p, const uint8_t *payload, size_t size,
                            uint16_t *close_code) {
    const wsf_header *h = &p->header;
    uint64_t end = p->position + p->header_size + h->payload_size;
    p->state = STATE_HEADER;
    if (WSF_UNLIKELY(h->opcode == WSF_OP_CLOSE)) {
        wsf_close close;
        int error = wsf_close_decode(&close, payload, size);
        if (error) {
            return fail(p, error, p->position + p->header_size);
        }
        *close_code = close.code;
        p->state = STATE_CLOSED;
    } else if (WSF_LIKELY(h->fin && !wsf_is_control(h->opcode))) {
        if (p->is_text && !wsf_utf8_finish(&p->utf8)) {
            return fail(p, WSF_ERR_UTF8, end);
        }
        p->message_opcode = 0;
    }
    p->position = end;
    return WSF_OK;
}

/* Deliver `size` bytes, the last ones that were absorbed. */
WSF_INLINE int deliver(wsf_parser *p, uint8_t *payload, size_t size, wsf_frame *frame) {
    const wsf_header *h = &p->header;
    bool continuation = WSF_UNLIKELY(h->opcode == WSF_OP_CONTINUATION);
    uint8_t message_opcode = continuation ? p->message_opcode : h->opcode;
    uint16_t close_code = 0;
    bool last = p->done == h->payload_size;
    if (WSF_LIKELY(last)) {
        int error = finish_frame(p, payload, size, &close_code);
        if (error) {
            return error;
        }
    }
    frame->payload = payload;
    frame->payload_size = size;
    frame->frame_size = h->payload_size;
    frame->offset = p->done - size;
    frame->opcode = h->opcode;
    frame->message_opcode = message_opcode;
    frame->fin = h->fin;
    frame->rsv = h->rsv;
    frame->message_rsv = continuation ? p->message_rsv : h->rsv;
    frame->first = frame->offset == 0;
    frame->last = last;
    frame->close_code = close_code;
    return WSF_FRAME;
}

/* WSF_MODE_WHOLE: data begins with the payload, whose first `done` bytes are already absorbed. */
WSF_INLINE int next_whole(wsf_parser *p, uint8_t *data, size_t size, size_t *used,
                          wsf_frame *frame) {
    size_t total = (size_t)p->header.payload_size;
    size_t done = (size_t)p->done;
    size_t end = size < total ? size : total;
    if (WSF_LIKELY(end > done)) {
        int error = absorb(p, data + done, end - done);
        if (WSF_UNLIKELY(error)) {
            return error;
        }
    }
    if (WSF_UNLIKELY(end < total)) {
        return WSF_NEED_MORE;
    }
    *used += total;
    return deliver(p, data, total, frame);
}

/* WSF_MODE_STREAM, data frames: all available bytes are a piece. */
static int next_piece(wsf_parser *p, uint8_t *data, size_t size, size_t *used, wsf_frame *frame) {
    uint64_t left = p->header.payload_size - p->done;
    size_t take = size < left ? size : (size_t)left;
    if (take == 0 && left != 0) {
        return WSF_NEED_MORE;
    }
    int error = absorb(p, data, take);
    if (error) {
        return error;
    }
    *used += take;
    return deliver(p, data, take, frame);
}

/* WSF_MODE_STREAM, control frames: collected in the parser unless they arrive in one piece. */
static int next_control(wsf_parser *p, uint8_t *data, size_t size, size_t *used, wsf_frame *frame) {
    size_t total = (size_t)p->header.payload_size;
    size_t done = (size_t)p->done;
    if (done == 0 && size >= total) {
        return next_piece(p, data, size, used, frame);
    }
    size_t take = size < total - done ? size : total - done;
    if (take != 0) {
        memcpy(p->control + done, data, take);
        (void)absorb(p, p->control + done, take); /* fails only for text */
        *used += take;
    }
    if (p->done < total) {
        return WSF_NEED_MORE;
    }
    return deliver(p, p->control, total, frame);
}

/* The fast path for the most common input: a message in one frame that has arrived completely.
 * None of it spans frames, so the parser only stores the position of the next frame.
 *
 * Returns 0 for any other input, or if the header is invalid. Then nothing has been changed, and
 * the general path processes the input.
 */
WSF_INLINE int next_message(wsf_parser *p, uint8_t *data, size_t size, size_t *consumed,
                            wsf_frame *frame) {
    if (WSF_UNLIKELY(size < 2 || (data[0] & 0x8Fu) - (WSF_FIN_BIT | WSF_OP_TEXT) > 1 ||
                     p->held_size || p->message_opcode || p->config.mode != WSF_MODE_WHOLE)) {
        return 0;
    }
    wsf_header h;
    int header_size = wsf_decode(&h, data, size);
    if (WSF_UNLIKELY(header_size <= 0 || h.payload_size > size - (size_t)header_size ||
                     h.payload_size > p->config.max_frame_size ||
                     h.payload_size > p->config.max_message_size ||
                     h.masked != (p->config.role == WSF_ROLE_SERVER) ||
                     h.rsv & ~p->config.rsv_allowed)) {
        return 0;
    }
    uint8_t *payload = data + header_size;
    size_t payload_size = (size_t)h.payload_size;
    if (h.masked) {
        wsf_mask(payload, payload_size, h.mask_key, 0);
    }
    if (h.opcode == WSF_OP_TEXT && p->config.check_utf8 && !(h.rsv & WSF_RSV1)) {
        size_t good = wsf_utf8_feed(&p->utf8, payload, payload_size);
        if (good != payload_size || !wsf_utf8_finish(&p->utf8)) {
            return fail(p, WSF_ERR_UTF8, p->position + (unsigned)header_size + good);
        }
    }
    *consumed = (size_t)header_size + payload_size;
    p->position += *consumed;
    *frame = (wsf_frame){
        .payload = payload,
        .payload_size = payload_size,
        .frame_size = payload_size,
        .opcode = h.opcode,
        .message_opcode = h.opcode,
        .fin = 1,
        .rsv = h.rsv,
        .message_rsv = h.rsv,
        .first = 1,
        .last = 1,
    };
    return WSF_FRAME;
}

/* -- the exported functions */

int wsf_parser_init(wsf_parser *parser, const wsf_parser_config *config) {
    memset(parser, 0, sizeof *parser);
    parser->config = *config;
    wsf_utf8_init(&parser->utf8);
    wsf_parser_config *c = &parser->config;
    if (c->role > WSF_ROLE_SERVER || c->mode > WSF_MODE_STREAM || c->rsv_allowed > 7 ||
        c->rsv_continuation > 7) {
        return fail(parser, WSF_ERR_ARGUMENT, 0);
    }
    c->max_frame_size = c->max_frame_size ? c->max_frame_size : UINT64_MAX;
    c->max_message_size = c->max_message_size ? c->max_message_size : UINT64_MAX;
    c->max_fragments = c->max_fragments ? c->max_fragments : UINT32_MAX;
    if (c->mode == WSF_MODE_WHOLE && c->max_frame_size > SIZE_MAX) {
        c->max_frame_size = SIZE_MAX; /* more cannot be contiguous */
    }
    return WSF_OK;
}

int wsf_parser_next(wsf_parser *p, uint8_t *data, size_t size, size_t *consumed, wsf_frame *frame) {
    size_t used = 0;
    *consumed = 0;
    if (WSF_LIKELY(p->state == STATE_HEADER)) {
        int result = next_message(p, data, size, consumed, frame);
        if (WSF_LIKELY(result != 0)) {
            return result;
        }
        result = read_header(p, data, size, &used);
        if (result <= 0) {
            *consumed = result == 0 ? used : 0;
            return result;
        }
    } else if (p->state == STATE_CLOSED) {
        *consumed = size;
        return WSF_NEED_MORE;
    } else if (p->state == STATE_FAILED) {
        return p->error;
    }
    data = used ? data + used : data;
    size -= used;
    int result;
    if (WSF_LIKELY(p->config.mode == WSF_MODE_WHOLE)) {
        result = next_whole(p, data, size, &used, frame);
    } else if (wsf_is_control(p->header.opcode)) {
        result = next_control(p, data, size, &used, frame);
    } else {
        result = next_piece(p, data, size, &used, frame);
    }
    if (result >= 0) {
        *consumed = used;
    }
    return result;
}

uint64_t wsf_parser_payload_size(const wsf_parser *parser) {
    return parser->state == STATE_PAYLOAD ? parser->header.payload_size : 0;
}

uint64_t wsf_parser_missing(const wsf_parser *parser) {
    return parser->state == STATE_PAYLOAD ? parser->header.payload_size - parser->done : 0;
}

bool wsf_parser_closed(const wsf_parser *parser) {
    return parser->state == STATE_CLOSED;
}

int wsf_parser_error(const wsf_parser *parser) {
    return parser->error;
}

uint64_t wsf_parser_error_offset(const wsf_parser *parser) {
    return parser->error_offset;
}
