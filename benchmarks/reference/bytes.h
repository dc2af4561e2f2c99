/* A growing array of bytes that are consumed from the front.
 *
 * Memory is only freed by bytes_free().
 */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct bytes {
    uint8_t *data;
    size_t begin; /* start of the unconsumed bytes */
    size_t end;
    size_t capacity;
} bytes;

/* Make room for `size` bytes after the end. Ends the program if there is no memory. */
void bytes_reserve(bytes *b, size_t size);

void bytes_append(bytes *b, const void *data, size_t size);

/* The number of bytes. */
size_t bytes_size(const bytes *b);

/* Drop all bytes and free the memory. */
void bytes_free(bytes *b);

#endif
