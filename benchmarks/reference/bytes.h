/*
 * A growing array of bytes that are used up from the front.
 *
 * It never gives memory back by itself: bytes_free() does.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct bytes {
    uint8_t *data;
    size_t begin; /* of what is not used up */
    size_t end;
    size_t capacity;
} bytes;

/* Make room for `size` bytes behind the end. Ends the program if there is no memory. */
void bytes_reserve(bytes *b, size_t size);

void bytes_append(bytes *b, const void *data, size_t size);

/* How many bytes are there. */
size_t bytes_size(const bytes *b);

/* Forget all bytes and give the memory back. */
void bytes_free(bytes *b);

#endif
