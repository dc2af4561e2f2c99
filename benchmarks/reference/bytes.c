/*
 * A growing array of bytes. Contract: bytes.h.
 */
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_reserve(bytes *b, size_t size) {
    size_t used = bytes_size(b);
    if (b->capacity - b->end >= size) {
        return;
    }
    if (b->begin) {
        memmove(b->data, b->data + b->begin, used);
        b->begin = 0;
        b->end = used;
    }
    if (b->capacity - used >= size) {
        return;
    }
    size_t capacity = used + size > 2 * b->capacity ? used + size : 2 * b->capacity;
    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        perror("realloc");
        exit(1);
    }
    b->data = data;
    b->capacity = capacity;
}

void bytes_append(bytes *b, const void *data, size_t size) {
    if (size) {
        bytes_reserve(b, size);
        memcpy(b->data + b->end, data, size);
        b->end += size;
    }
}

size_t bytes_size(const bytes *b) {
    return b->end - b->begin;
}

void bytes_free(bytes *b) {
    free(b->data);
    *b = (bytes){0};
}
