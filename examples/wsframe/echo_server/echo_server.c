/*
 * A WebSocket echo server on epoll and libwsframe, one thread, no other library.
 *
 *   echo_server PORT
 * Port 0 selects a free port; the port in use is printed. It serves only loopback.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

#define EVENTS 64

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 128) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("listen");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void watch(int epoll, int operation, int fd, uint32_t events, void *what) {
    struct epoll_event event = {.events = events, .data.ptr = what};
    if (epoll_ctl(epoll, operation, fd, &event)) {
        perror("epoll_ctl");
        exit(1);
    }
}

static void accept_all(int epoll, int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connection *c = connection_new(fd);
        if (!c) {
            close(fd);
            continue;
        }
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
}

/* Level-triggered: watch for room to send only while output waits, and for input unless full. */
static void handle(int epoll, connection *c, uint32_t events) {
    if (!connection_ready(c, (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)) {
        connection_free(c); /* this also removes it from the epoll set */
        return;
    }
    bool waits = c->out.begin != c->out.end;
    bool reads = !c->closing && !connection_is_full(c);
    watch(epoll, EPOLL_CTL_MOD, c->fd, (reads ? EPOLLIN : 0) | (waits ? EPOLLOUT : 0), c);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: echo_server PORT\n");
        return 2;
    }
    int listener = listen_on((uint16_t)atoi(argv[1]));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            connection *c = events[i].data.ptr;
            if (c) {
                handle(epoll, c, events[i].events);
            } else {
                accept_all(epoll, listener);
            }
        }
    }
}
