/* The options of the program. Contract: options.h.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const TASKS[] = {"echo", "sink", "source", "broadcast", "handshake", "idle"};

static bool take_task(options *o, const char *value) {
    for (unsigned i = 0; i < sizeof TASKS / sizeof *TASKS; i++) {
        if (strcmp(value, TASKS[i]) == 0) {
            o->task = (task)i;
            return true;
        }
    }
    return false;
}

static bool take_pair(options *o, const char *key, const char *value) {
    if (strcmp(key, "task") == 0) {
        return take_task(o, value);
    } else if (strcmp(key, "tls") == 0) {
        o->tls = true;
        return snprintf(o->certificate, sizeof o->certificate, "%s", value) > 0;
    } else if (strcmp(key, "deflate") == 0) {
        o->deflate = atoi(value) != 0;
    } else if (strcmp(key, "payload") == 0) {
        return snprintf(o->payload, sizeof o->payload, "%s", value) > 0;
    } else if (strcmp(key, "size") == 0) {
        o->size = (uint32_t)atol(value);
    } else if (strcmp(key, "port") == 0) {
        o->port = (uint16_t)atoi(value);
    } else if (strcmp(key, "connections") == 0) {
        o->connections = (uint32_t)atol(value);
    } else if (strcmp(key, "in_flight") == 0) {
        o->in_flight = (uint32_t)atol(value);
    } else if (strcmp(key, "seconds") == 0) {
        o->seconds = atof(value);
    } else {
        return strcmp(key, "loop") == 0; /* for programs with several event loops */
    }
    return true;
}

void options_take(options *o, const char *word) {
    char key[32];
    const char *equals = strchr(word, '=');
    size_t size = equals ? (size_t)(equals - word) : sizeof key;
    if (size < sizeof key) {
        memcpy(key, word, size);
        key[size] = 0;
        if (take_pair(o, key, equals + 1)) {
            return;
        }
    }
    fprintf(stderr, "not understood: %s\n", word);
    exit(2);
}

void options_take_line(options *o, char *line) {
    for (char *word = strtok(line, " \r\n"); word; word = strtok(NULL, " \r\n")) {
        options_take(o, word);
    }
}
