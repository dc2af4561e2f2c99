/*
 * One WebSocket connection: from the TCP connection to the last frame.
 *
 * Frames are parsed where they were received. What is sent while a read is handled is collected,
 * and leaves in one write when all of the read has been parsed. An idle peer owns no buffer.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <wsframe/wsframe.h>

#include "bytes.h"
#include "handshake.h"
#include "wire.h"

typedef enum stage { STAGE_CONNECTING, STAGE_SECURING, STAGE_UPGRADING, STAGE_OPEN } stage;

typedef struct peer {
    wire wire;
    bytes rest; /* received, and not parsed yet */
    wsf_parser parser;
    stage stage;
    uint16_t port; /* clients: of the server */
    bool is_server;
    bool deflate;
    bool floods;     /* is to be told whenever it can write */
    bool closing;    /* sent CLOSE */
    uint32_t events; /* what epoll watches */
    uint32_t index;  /* the owner's */
    char key[KEY_SIZE + 1];
} peer;

/* Told by a peer; NULL for what is of no interest. A handler must not free a peer. */
typedef struct handlers {
    void (*opened)(peer *p);
    void (*message)(peer *p, wsf_frame *frame); /* any data frame */
    void (*writable)(peer *p);                  /* nothing waits, and it floods */
} handlers;

extern handlers peer_handlers;

peer *peer_new(int fd, bool is_server, SSL_CTX *tls, bool deflate);
void peer_free(peer *p);

/* Take the first step of the handshake. */
bool peer_start(peer *p);

/* Do what epoll says can be done. False when the connection has ended. */
bool peer_ready(peer *p, uint32_t events);

/* Collect a frame; peer_flush() sends it, as does the end of the read that is handled. */
void peer_send(peer *p, int opcode, int rsv, const uint8_t *payload, size_t size);

/* Answer a frame with itself. A large one goes from where it lies; its bytes are changed. */
void peer_echo(peer *p, wsf_frame *frame);

/* Send what was collected. */
bool peer_flush(peer *p);

/* Send CLOSE, code 1000. */
void peer_send_close(peer *p);

#endif
