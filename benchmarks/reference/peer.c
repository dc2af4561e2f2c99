/*
 * One WebSocket connection. Contract: peer.h.
 */
#define _GNU_SOURCE

#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define READ_SIZE 262144 /* maximum bytes of a read */
#define LARGE 16384      /* minimum bytes of a payload that is not copied */
#define FULL 262144      /* collected bytes that are sent before the read is fully parsed */

handlers peer_handlers;

static bytes received;    /* input of the current peer */
static bytes collected;   /* output of the current peer */
static uint8_t *writable; /* start of the bytes that are being parsed */

peer *peer_new(int fd, bool is_server, SSL_CTX *tls, bool deflate) {
    peer *p = calloc(1, sizeof *p);
    if (!p) {
        perror("calloc");
        exit(1);
    }
    wsf_parser_config config = {
        .role = is_server ? WSF_ROLE_SERVER : WSF_ROLE_CLIENT,
        .rsv_allowed = deflate ? WSF_RSV1 : 0,
    };
    wsf_parser_init(&p->parser, &config);
    wire_open(&p->wire, fd, tls, is_server);
    p->is_server = is_server;
    p->deflate = deflate;
    p->stage = STAGE_CONNECTING;
    return p;
}

void peer_free(peer *p) {
    wire_close(&p->wire);
    bytes_free(&p->rest);
    free(p);
}

void peer_send(peer *p, int opcode, int rsv, const uint8_t *payload, size_t size) {
    wsf_header header = {.payload_size = size,
                         .opcode = (uint8_t)opcode,
                         .fin = 1,
                         .rsv = (uint8_t)rsv,
                         .masked = !p->is_server};
    if (header.masked && wsf_mask_key(header.mask_key)) {
        fprintf(stderr, "no random bytes\n");
        exit(1);
    }
    bytes_reserve(&collected, WSF_MAX_HEADER_SIZE + size);
    collected.end += wsf_frame_encode(collected.data + collected.end, &header, payload);
    if (bytes_size(&collected) >= FULL) {
        peer_flush(p);
    }
}

void peer_echo(peer *p, wsf_frame *frame) {
    bool has_headroom = frame->payload - writable >= WSF_MAX_HEADER_SIZE;
    if (!p->is_server || !has_headroom || frame->payload_size < LARGE || bytes_size(&collected)) {
        peer_send(p, frame->opcode, frame->rsv, frame->payload, frame->payload_size);
        return;
    }
    wsf_header header = {.payload_size = frame->payload_size,
                         .opcode = frame->opcode,
                         .fin = frame->fin,
                         .rsv = frame->rsv};
    /* The header of the masked frame was here, which is longer. */
    uint8_t *begin = wsf_header_encode_before(frame->payload, &header);
    size_t size = (size_t)(frame->payload - begin) + frame->payload_size;
    wire_write(&p->wire, begin, size);
}

bool peer_flush(peer *p) {
    size_t size = bytes_size(&collected);
    bool good = size == 0 || wire_write(&p->wire, collected.data, size);
    collected.begin = collected.end = 0;
    return good;
}

void peer_send_close(peer *p) {
    static const uint8_t code[] = {1000 >> 8, 1000 & 255};
    peer_send(p, WSF_OP_CLOSE, 0, code, sizeof code);
    p->closing = true;
}

/* Returns false if nothing more should be read. */
static bool handle(peer *p, wsf_frame *frame) {
    switch (frame->opcode) {
    case WSF_OP_PING:
        peer_send(p, WSF_OP_PONG, 0, frame->payload, frame->payload_size);
        return true;
    case WSF_OP_PONG:
        return true;
    case WSF_OP_CLOSE:
        if (!p->closing) {
            peer_send_close(p);
        }
        return !p->is_server; /* the server is the first to close the TCP connection */
    default:
        if (peer_handlers.message) {
            peer_handlers.message(p, frame);
        }
        return true;
    }
}

static bool parse_head(peer *p, bytes *b) {
    const char *head = (const char *)b->data + b->begin;
    const char *end = memmem(head, bytes_size(b), "\r\n\r\n", 4);
    if (!end) {
        return bytes_size(b) < MAX_HEAD_SIZE;
    }
    size_t size = (size_t)(end - head) + 4;
    if (p->is_server) {
        char reply[MAX_HEAD_SIZE];
        size_t reply_size = handshake_reply(reply, head, size, p->deflate);
        if (!reply_size || !wire_write(&p->wire, (uint8_t *)reply, reply_size)) {
            return false;
        }
    } else if (!handshake_accepted(head, size, p->key)) {
        fprintf(stderr, "refused: %.*s", (int)size, head);
        exit(1);
    }
    b->begin += size;
    p->stage = STAGE_OPEN;
    if (peer_handlers.opened) {
        peer_handlers.opened(p);
    }
    return true;
}

static bool parse(peer *p, bytes *b) {
    if (p->stage == STAGE_UPGRADING && !parse_head(p, b)) {
        return false;
    }
    writable = b->data;
    while (p->stage == STAGE_OPEN) {
        size_t consumed;
        wsf_frame frame;
        int result =
            wsf_parser_next(&p->parser, b->data + b->begin, bytes_size(b), &consumed, &frame);
        b->begin += consumed;
        if (result == WSF_NEED_MORE) {
            break;
        }
        if (result != WSF_FRAME) {
            fprintf(stderr, "bad frame: %s\n", wsf_error_text(result));
            return false;
        }
        if (!handle(p, &frame)) {
            peer_flush(p);
            return false;
        }
    }
    return peer_flush(p);
}

/* The buffer to read into: the shared one, after the bytes that this peer has kept. A large frame
 * is collected in the peer's own memory, so that it is not copied with each read. */
static bytes *choose_buffer(peer *p) {
    size_t kept = bytes_size(&p->rest);
    if (wsf_parser_payload_size(&p->parser) >= LARGE) {
        size_t missing = (size_t)wsf_parser_missing(&p->parser);
        if (kept == 0) { /* only the header has arrived: leave room for one before the payload */
            bytes_reserve(&p->rest, WSF_MAX_HEADER_SIZE + missing);
            p->rest.begin = p->rest.end = WSF_MAX_HEADER_SIZE;
        }
        bytes_reserve(&p->rest, missing);
        return &p->rest;
    }
    received.begin = received.end = 0;
    bytes_reserve(&received, READ_SIZE);
    bytes_append(&received, p->rest.data + p->rest.begin, kept);
    p->rest.begin = p->rest.end = 0;
    return &received;
}

static bool read_some(peer *p) {
    size_t room;
    ssize_t count;
    do {
        bytes *b = choose_buffer(p);
        room = b->capacity - b->end;
        count = wire_read(&p->wire, b->data + b->end, room);
        if (count < 0) {
            return false;
        }
        b->end += (size_t)count;
        if (count > 0 && !parse(p, b)) {
            return false;
        }
        if (b == &received && bytes_size(b)) {
            size_t payload = (size_t)wsf_parser_payload_size(&p->parser);
            bytes_reserve(&p->rest, WSF_MAX_HEADER_SIZE + payload + bytes_size(b));
            p->rest.begin = p->rest.end = WSF_MAX_HEADER_SIZE;
            bytes_append(&p->rest, b->data + b->begin, bytes_size(b));
        } else if (bytes_size(b) == 0) {
            b->begin = b->end = 0;
        }
    } while ((size_t)count == room && wire_holds_more(&p->wire));
    return !p->wire.ended;
}

static bool upgrade(peer *p) {
    p->stage = STAGE_UPGRADING;
    if (p->is_server) {
        return true;
    }
    char request[MAX_HEAD_SIZE];
    size_t size = handshake_request(request, p->port, p->deflate, p->key);
    return wire_write(&p->wire, (uint8_t *)request, size);
}

bool peer_start(peer *p) {
    if (!p->wire.ssl) {
        return upgrade(p);
    }
    p->stage = STAGE_SECURING;
    int result = wire_handshake(&p->wire);
    return result == 1 ? upgrade(p) : result == 0;
}

bool peer_ready(peer *p, uint32_t events) {
    if (p->stage == STAGE_CONNECTING || p->stage == STAGE_SECURING) {
        if (!peer_start(p)) {
            return false;
        }
        /* A request may have come with the last bytes of the TLS handshake. */
        if (p->stage != STAGE_UPGRADING || !p->wire.ssl) {
            return true;
        }
        events |= EPOLLIN;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !read_some(p)) {
        return false;
    }
    if (bytes_size(&p->wire.waits)) {
        return !(events & EPOLLOUT) || wire_flush(&p->wire);
    }
    if (p->floods && peer_handlers.writable) {
        peer_handlers.writable(p);
        return peer_flush(p);
    }
    return true;
}
