/*
 * One connection of the echo server. Contract: connection.h.
 * Frames are parsed in the receive buffer, and answered from there: a reply is copied once, into
 * the output, which is sent by one send() for all frames of a read.
 */
#define _GNU_SOURCE

#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handshake.h"

#define READ_SIZE 65536
#define MAX_HEAD_SIZE 8192
#define MAX_MESSAGE_SIZE (1 << 24)
#define FULL (1 << 20)

/* Make room for `size` bytes after the existing ones. */
static bool reserve(buffer *b, size_t size) {
    size_t used = b->end - b->begin;
    if (b->capacity - b->end >= size) {
        return true;
    }
    if (b->begin) {
        memmove(b->data, b->data + b->begin, used);
        b->begin = 0;
        b->end = used;
    }
    if (b->capacity - used >= size) {
        return true;
    }
    size_t capacity = used + size > 2 * b->capacity ? used + size : 2 * b->capacity;
    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

connection *connection_new(int fd) {
    connection *c = calloc(1, sizeof *c);
    if (c) {
        wsf_parser_config config = {
            .role = WSF_ROLE_SERVER, .check_utf8 = 1, .max_message_size = MAX_MESSAGE_SIZE};
        wsf_parser_init(&c->parser, &config);
        c->fd = fd;
    }
    return c;
}

void connection_free(connection *c) {
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

bool connection_is_full(const connection *c) {
    return c->out.end - c->out.begin > FULL;
}

/* Append a frame to the output. */
static bool reply(connection *c, uint8_t opcode, bool fin, const uint8_t *payload, size_t size) {
    wsf_header header = {.payload_size = size, .opcode = opcode, .fin = fin};
    if (!reserve(&c->out, WSF_MAX_HEADER_SIZE + size)) {
        return false;
    }
    c->out.end += wsf_frame_encode(c->out.data + c->out.end, &header, payload);
    return true;
}

static bool answer(connection *c, const wsf_frame *frame) {
    switch (frame->opcode) {
    case WSF_OP_PONG:
        return true;
    case WSF_OP_PING:
        return reply(c, WSF_OP_PONG, true, frame->payload, frame->payload_size);
    case WSF_OP_CLOSE:
        c->closing = true;
        return reply(c, WSF_OP_CLOSE, true, frame->payload, frame->payload_size);
    default:
        return reply(c, frame->opcode, frame->fin, frame->payload, frame->payload_size);
    }
}

/* Report an error of the peer with a CLOSE, then end. */
static bool refuse(connection *c, int error) {
    uint8_t payload[WSF_MAX_CONTROL_SIZE];
    const char *text = wsf_error_text(error);
    int size =
        wsf_close_encode(payload, wsf_error_close_code(error), (const uint8_t *)text, strlen(text));
    c->closing = true;
    return reply(c, WSF_OP_CLOSE, true, payload, (size_t)size);
}

static bool parse_head(connection *c) {
    uint8_t *head = c->in.data + c->in.begin;
    size_t size = c->in.end - c->in.begin;
    uint8_t *end = memmem(head, size, "\r\n\r\n", 4);
    if (!end) {
        return size <= MAX_HEAD_SIZE;
    }
    size_t head_size = (size_t)(end - head) + 4;
    int accepted;
    if (!reserve(&c->out, MAX_REPLY_SIZE)) {
        return false;
    }
    c->out.end +=
        handshake_reply((const char *)head, head_size, (char *)c->out.data + c->out.end, &accepted);
    c->in.begin += head_size;
    c->upgraded = accepted;
    c->closing = !accepted;
    return true;
}

static bool parse_frames(connection *c) {
    while (!c->closing) {
        size_t consumed;
        wsf_frame frame;
        int result = wsf_parser_next(&c->parser, c->in.data + c->in.begin, c->in.end - c->in.begin,
                                     &consumed, &frame);
        c->in.begin += consumed;
        if (result == WSF_NEED_MORE) {
            return true;
        }
        if (!(result == WSF_FRAME ? answer(c, &frame) : refuse(c, result))) {
            return false;
        }
    }
    return true;
}

static bool read_some(connection *c) {
    if (c->in.begin == c->in.end) {
        c->in.begin = c->in.end = 0;
    }
    if (!reserve(&c->in, READ_SIZE)) {
        return false;
    }
    ssize_t n = recv(c->fd, c->in.data + c->in.end, c->in.capacity - c->in.end, 0);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    c->in.end += (size_t)n;
    if (!c->upgraded && !parse_head(c)) {
        return false;
    }
    return !c->upgraded || parse_frames(c);
}

static bool send_some(connection *c) {
    size_t size = c->out.end - c->out.begin;
    if (size) {
        ssize_t n = send(c->fd, c->out.data + c->out.begin, size, MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        c->out.begin += (size_t)n;
    }
    if (c->out.begin != c->out.end) {
        return true;
    }
    c->out.begin = c->out.end = 0;
    return !c->closing;
}

bool connection_ready(connection *c, bool readable) {
    if (readable && !c->closing && !connection_is_full(c) && !read_some(c)) {
        return false;
    }
    return send_some(c);
}
