/*
 * The limit that the libraries are measured against, and the other end of their connections: a
 * WebSocket server and a load generator on epoll, OpenSSL and libwsframe, in one thread.
 *
 *   reference serve task=echo|sink|source|broadcast [size=N] [tls=FILE] [deflate=1] [payload=FILE]
 *   reference load  task=echo|sink|source|broadcast|handshake|idle [size=N] [tls=1] ...
 *
 * It serves loopback only, and trusts its peer. What it says and is told: server.h, load.h.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "load.h"
#include "options.h"
#include "server.h"

static void allow_many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    static options o = {.size = 256, .connections = 1, .in_flight = 1, .seconds = 1};
    if (argc < 2 || (strcmp(argv[1], "serve") && strcmp(argv[1], "load"))) {
        fprintf(stderr, "usage: reference serve|load KEY=VALUE...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    for (int i = 2; i < argc; i++) {
        options_take(&o, argv[i]);
    }
    return strcmp(argv[1], "serve") == 0 ? serve(&o) : load(&o);
}
