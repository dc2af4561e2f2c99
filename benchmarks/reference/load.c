/*
 * The load generator. Contract: load.h.
 */
#define _GNU_SOURCE

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dialogue.h"
#include "loop.h"
#include "message.h"
#include "peer.h"

#define CONNECTING_AT_ONCE 64
#define STEP 20 /* milliseconds until the end of the time is noticed, if nothing happens */

static const options *job;
static SSL_CTX *tls;

static peer **peers;
static uint32_t peers_count; /* peers that were started */
static uint32_t opened_count;
static uint64_t count;
static uint64_t awaited; /* broadcasts: messages to come before the next one */
static bool measuring;

static peer *begin_connection(uint32_t index) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(job->port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd < 0 ||
        (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)) {
        perror("connect");
        exit(1);
    }
    peer *p = peer_new(fd, false, tls, job->deflate);
    p->port = job->port;
    p->index = index;
    peers[index] = p;
    loop_add(p);
    return p;
}

static void opened(peer *p) {
    opened_count++;
    if (job->task == TASK_HANDSHAKE) {
        peer_send_close(p);
    }
}

static void received(peer *p, wsf_frame *frame) {
    (void)frame;
    if (!measuring) {
        return;
    }
    count++;
    if (job->task == TASK_ECHO) {
        message_send(p);
    } else if (job->task == TASK_BROADCAST && --awaited == 0) {
        /* Not through the buffer of this peer: the first one requests it for all. */
        awaited = peers_count;
        peer_flush(p);
        message_send(peers[0]);
        peer_flush(peers[0]);
    }
}

static void ended(peer *p) {
    uint32_t index = p->index;
    bool expected = p->closing;
    peer_free(p);
    peers[index] = NULL;
    if (!expected) {
        fprintf(stderr, "a connection was lost\n");
        exit(1);
    }
    if (job->task == TASK_HANDSHAKE && measuring) {
        count++;
        begin_connection(index);
    }
}

void load_prepare(const options *o) {
    tls = o->tls ? wire_tls(NULL) : NULL;
    message_prepare(o);
    peer_handlers = (handlers){.opened = opened, .message = received, .writable = message_flood};
    loop_start();
}

void load_open(const options *o) {
    job = o;
    peers = calloc(job->connections, sizeof *peers);
    if (!peers) {
        perror("calloc");
        exit(1);
    }
    peers_count = 0;
    opened_count = 0;
    while (job->task != TASK_HANDSHAKE && opened_count < job->connections) {
        while (peers_count < job->connections && peers_count < opened_count + CONNECTING_AT_ONCE) {
            begin_connection(peers_count++);
        }
        loop_step(-1, ended);
    }
}

static void begin_traffic(void) {
    for (uint32_t i = 0; i < job->connections; i++) {
        if (job->task == TASK_HANDSHAKE) {
            begin_connection(i);
            continue;
        }
        if (job->task == TASK_SOURCE) {
            peers[i]->floods = true;
            loop_update(peers[i]);
            continue;
        }
        for (uint32_t k = 0; k < (job->task == TASK_ECHO ? job->in_flight : 1); k++) {
            message_send(peers[i]);
        }
        peer_flush(peers[i]);
        loop_update(peers[i]);
        if (job->task == TASK_BROADCAST) {
            break;
        }
    }
    awaited = job->connections;
}

static bool all_gone(void) {
    for (uint32_t i = 0; i < job->connections; i++) {
        if (peers[i]) {
            return false;
        }
    }
    return true;
}

/* Sent messages count once they have arrived, which the answer to CLOSE proves. */
static void finish_flood(void) {
    for (uint32_t i = 0; i < job->connections; i++) {
        peers[i]->floods = false;
        peer_send_close(peers[i]);
        peer_flush(peers[i]);
        loop_update(peers[i]);
    }
    while (!all_gone()) {
        loop_step(-1, ended);
    }
    count = message_take_count();
}

static bool is_done(uint64_t end) {
    return dialogue_now() >= end || (job->task == TASK_IDLE && count == job->connections);
}

uint64_t load_run(void) {
    uint64_t end = dialogue_now() + (uint64_t)(job->seconds * 1e9);
    count = 0;
    message_take_count();
    measuring = true;
    begin_traffic();
    while (!is_done(end)) {
        loop_step(STEP, ended);
    }
    measuring = false;
    if (job->task == TASK_SOURCE) {
        finish_flood();
    }
    return count;
}

void load_close(void) {
    for (uint32_t i = 0; i < job->connections; i++) {
        if (peers[i]) {
            peer_free(peers[i]);
        }
    }
    free(peers);
}
