/*
 * The dialogue with the runner. Contract: dialogue.h.
 */
#define _GNU_SOURCE

#include "dialogue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

uint64_t dialogue_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void say(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
}

void dialogue_say_port(uint16_t port) {
    printf("%d\n", port);
    fflush(stdout);
}

static void allow_many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void do_jobs(options *o, const program *p) {
    char line[1024];
    p->prepare(o);
    while (fgets(line, sizeof line, stdin)) {
        options_take_line(o, line);
        p->open(o);
        say("ready");
        if (!fgets(line, sizeof line, stdin)) {
            break;
        }
        uint64_t begin = dialogue_now();
        uint64_t count = p->run();
        printf("%llu %llu\n", (unsigned long long)count,
               (unsigned long long)(dialogue_now() - begin));
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) {
            break;
        }
        p->close();
        say("closed");
    }
}

int dialogue(int argc, char **argv, const program *p) {
    static options o = {.size = 256, .connections = 1, .in_flight = 1, .seconds = 1};
    const char *role = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; i++) {
        options_take(&o, argv[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    if (strcmp(role, "version") == 0) {
        say(p->version);
    } else if (strcmp(role, "serve") == 0) {
        p->serve(&o);
    } else if (strcmp(role, "load") == 0) {
        do_jobs(&o, p);
    } else {
        fprintf(stderr, "usage: %s version|serve|load KEY=VALUE...\n", argv[0]);
        return 2;
    }
    return 0;
}
