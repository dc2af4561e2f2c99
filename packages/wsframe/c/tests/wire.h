/* A readable notation for bytes on the wire.
 *
 *   81 05 "Hello"                 hexadecimal bytes, then text
 *   82 7e 0100 "a"*256            text repeated
 *   81 85 m=37fa213d "Hello"      a masking key; the bytes after it are masked ...
 *   81 85 m=37fa213d "Hello" |    ... until here
 */
#ifndef WSF_TEST_WIRE_H
#define WSF_TEST_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Write the bytes of `notation` to `out`; returns how many. Aborts on an invalid notation or on
 * more than `capacity` bytes. */
size_t wire_bytes(const char *notation, uint8_t *out, size_t capacity);

/* Write bytes as text to `out`: "Hello", "a"*256, or <ff00> where they are not printable. */
void wire_text(const uint8_t *data, size_t size, char *out, size_t capacity);

#endif
