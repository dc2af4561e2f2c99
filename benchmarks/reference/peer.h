/*
 * One WebSocket connection: from the TCP connection to the last frame.
 * Frames are parsed in the receive buffer. Data sent while a read is handled is collected, and
 * written at once when the whole read has been parsed. An idle peer owns no buffer.
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
    bytes rest; /* received, but not parsed yet */
    wsf_parser parser;
    stage stage;
    uint16_t port; /* clients: the server's port */
    bool is_server;
    bool deflate;
    bool floods;     /* `writable` is called whenever it can write */
    bool closing;    /* CLOSE was sent */
    uint32_t events; /* the events that epoll watches */
    uint32_t index;  /* for the owner */
    char key[KEY_SIZE + 1];
} peer;

/* Called by a peer; NULL for unneeded ones. A handler must not free a peer. */
typedef struct handlers {
    void (*opened)(peer *p);
    void (*message)(peer *p, wsf_frame *frame); /* any data frame */
    void (*writable)(peer *p);                  /* all output was written, and it floods */
} handlers;

extern handlers peer_handlers;

peer *peer_new(int fd, bool is_server, SSL_CTX *tls, bool deflate);
void peer_free(peer *p);

/* Take the first step of the handshake. */
bool peer_start(peer *p);

/* Handle the events reported by epoll. Returns false when the connection has ended. */
bool peer_ready(peer *p, uint32_t events);

/* Append a frame to the output; peer_flush() sends it, or the end of the current read. */
void peer_send(peer *p, int opcode, int rsv, const uint8_t *payload, size_t size);

/* Echo a frame. A large one is sent from the receive buffer; its bytes are changed. */
void peer_echo(peer *p, wsf_frame *frame);

/* Send the collected output. */
bool peer_flush(peer *p);

/* Send a CLOSE with code 1000. */
void peer_send_close(peer *p);

#endif
