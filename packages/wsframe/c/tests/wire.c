/*
 * The notation for bytes on the wire. Contract: wire.h.
 */
#include "wire.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct writer {
    uint8_t *out;
    size_t size, capacity;
    uint8_t key[4];
    size_t phase;
    bool masking;
} writer;

static void put(writer *w, uint8_t byte) {
    if (w->size == w->capacity) {
        printf("too many bytes in a notation\n");
        abort();
    }
    w->out[w->size++] = w->masking ? byte ^ w->key[w->phase++ & 3] : byte;
}

static uint8_t hex_byte(const char *at) {
    char digits[3] = {at[0], at[0] ? at[1] : 0, 0};
    char *end;
    unsigned long value = strtoul(digits, &end, 16);
    if (end != digits + 2) {
        printf("bad notation at: %s\n", at);
        abort();
    }
    return (uint8_t)value;
}

/* Parse "text" or "text"*count at the opening quote; returns the rest of the notation. */
static const char *put_text(writer *w, const char *at) {
    const char *text = at + 1;
    const char *end = strchr(text, '"');
    if (!end) {
        printf("no closing quote: %s\n", at);
        abort();
    }
    unsigned long count = 1;
    const char *next = end + 1;
    if (*next == '*') {
        char *after;
        count = strtoul(next + 1, &after, 10);
        next = after;
    }
    while (count--) {
        for (const char *c = text; c < end; c++) {
            put(w, (uint8_t)*c);
        }
    }
    return next;
}

static const char *put_key(writer *w, const char *at) {
    for (int i = 0; i < 4; i++) {
        w->key[i] = hex_byte(at + 2 + 2 * i);
        put(w, w->key[i]);
    }
    w->masking = true;
    w->phase = 0;
    return at + 10;
}

size_t wire_bytes(const char *notation, uint8_t *out, size_t capacity) {
    writer w = {.out = out, .capacity = capacity};
    const char *at = notation;
    while (*at) {
        if (isspace((unsigned char)*at)) {
            at++;
        } else if (*at == '|') {
            w.masking = false;
            at++;
        } else if (*at == '"') {
            at = put_text(&w, at);
        } else if (*at == 'm') {
            w.masking = false;
            at = put_key(&w, at);
        } else {
            put(&w, hex_byte(at));
            at += 2;
        }
    }
    return w.size;
}

void wire_text(const uint8_t *data, size_t size, char *out, size_t capacity) {
    bool printable = true, repeated = size > 8;
    for (size_t i = 0; i < size; i++) {
        printable = printable && isprint(data[i]) && data[i] != '"';
        repeated = repeated && data[i] == data[0];
    }
    if (printable && repeated) {
        snprintf(out, capacity, "\"%c\"*%zu", data[0], size);
    } else if (printable) {
        snprintf(out, capacity, "\"%.*s\"", (int)size, size ? (const char *)data : "");
    } else {
        size_t at = (size_t)snprintf(out, capacity, "<");
        for (size_t i = 0; i < size && at + 4 < capacity; i++) {
            at += (size_t)snprintf(out + at, capacity - at, "%02x", data[i]);
        }
        snprintf(out + at, capacity - at, ">");
    }
}
