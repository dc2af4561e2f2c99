/*
 * The event loop. Contract: loop.h.
 */
#define _GNU_SOURCE

#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define EVENTS 256

static int epoll;

/* Entries that are not peers; they are distinguished from peers by their address. */
static struct {
    void (*ready)(void);
} others[4];
static unsigned others_count;

static void control(int operation, int fd, uint32_t events, void *what) {
    struct epoll_event event = {.events = events, .data.ptr = what};
    if (epoll_ctl(epoll, operation, fd, &event)) {
        perror("epoll_ctl");
        exit(1);
    }
}

void loop_start(void) {
    epoll = epoll_create1(EPOLL_CLOEXEC);
}

void loop_add(peer *p) {
    p->events = EPOLLIN | (p->stage == STAGE_CONNECTING ? EPOLLOUT : 0);
    control(EPOLL_CTL_ADD, p->wire.fd, p->events, p);
}

void loop_watch(int fd, void (*ready)(void)) {
    others[others_count].ready = ready;
    control(EPOLL_CTL_ADD, fd, EPOLLIN, &others[others_count++]);
}

void loop_update(peer *p) {
    uint32_t events = EPOLLIN | (p->floods || bytes_size(&p->wire.waits) ? EPOLLOUT : 0);
    if (events != p->events) {
        p->events = events;
        control(EPOLL_CTL_MOD, p->wire.fd, events, p);
    }
}

void loop_step(int milliseconds, void (*ended)(peer *p)) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        void *what = events[i].data.ptr;
        if (what >= (void *)others && what < (void *)(others + 4)) {
            others[(__typeof__(&others[0]))what - others].ready();
            continue;
        }
        peer *p = what;
        if (peer_ready(p, events[i].events)) {
            loop_update(p);
        } else {
            ended(p);
        }
    }
}
