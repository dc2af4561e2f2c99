/*
 * The server. Contract: server.h.
 */
#define _GNU_SOURCE

#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dialogue.h"
#include "loop.h"
#include "message.h"
#include "peer.h"

static const options *asked;
static SSL_CTX *tls;
static int listener;

/* All peers, for broadcasts. */
static peer **peers;
static uint32_t peers_count;
static uint32_t peers_room;

static void remember(peer *p) {
    if (peers_count == peers_room) {
        peers_room = peers_room ? 2 * peers_room : 64;
        peers = realloc(peers, peers_room * sizeof *peers);
        if (!peers) {
            perror("realloc");
            exit(1);
        }
    }
    p->index = peers_count;
    peers[peers_count++] = p;
}

static void forget(peer *p) {
    peers[p->index] = peers[--peers_count];
    peers[p->index]->index = p->index;
    peer_free(p);
}

static void listen_on_free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
        listen(listener, 1024) || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        exit(1);
    }
    dialogue_say_port(ntohs(address.sin_port));
}

static void accept_all(void) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peer *p = peer_new(fd, true, tls, asked->deflate);
        p->stage = tls ? STAGE_SECURING : STAGE_UPGRADING;
        loop_add(p);
        remember(p);
    }
}

static void begin_flood(peer *p, wsf_frame *frame) {
    (void)frame;
    p->floods = true;
}

static void broadcast(peer *p, wsf_frame *frame) {
    (void)p;
    static bytes encoded;
    wsf_header header = {.payload_size = frame->payload_size, .opcode = frame->opcode, .fin = 1};
    encoded.begin = encoded.end = 0;
    bytes_reserve(&encoded, WSF_MAX_HEADER_SIZE + frame->payload_size);
    size_t size = wsf_frame_encode(encoded.data, &header, frame->payload);
    for (uint32_t i = 0; i < peers_count; i++) {
        /* The end of a peer is detected by the next read. */
        if (peers[i]->stage == STAGE_OPEN && wire_write(&peers[i]->wire, encoded.data, size)) {
            loop_update(peers[i]);
        }
    }
}

static void end(void) {
    exit(0);
}

void serve(const options *o) {
    asked = o;
    tls = o->tls ? wire_tls(o->certificate) : NULL;
    message_prepare(o);
    peer_handlers.message = o->task == TASK_ECHO        ? peer_echo
                            : o->task == TASK_BROADCAST ? broadcast
                            : o->task == TASK_SOURCE    ? begin_flood
                                                        : NULL;
    peer_handlers.writable = message_flood;
    loop_start();
    listen_on_free_port();
    loop_watch(listener, accept_all);
    loop_watch(STDIN_FILENO, end);
    for (;;) {
        loop_step(-1, forget);
    }
}
