/* The opening handshake, reduced to the needs of a trusted peer on the same machine.
 *
 * Only the headers that the benchmark depends on are checked; do not use it in a real server.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_HEAD_SIZE 8192
#define KEY_SIZE 24 /* 16 bytes in base64 */

/* Write a client's request for a port of this host, at most MAX_HEAD_SIZE bytes; return its size.
 * `key` receives the key, which the answer must prove to know. */
size_t handshake_request(char *out, uint16_t port, bool deflate, char key[KEY_SIZE + 1]);

/* Write the answer to a request; return its size, or 0 if the request has no key. */
size_t handshake_reply(char *out, const char *head, size_t size, bool deflate);

/* Whether an answer is correct for a key. */
bool handshake_accepted(const char *head, size_t size, const char *key);

#endif
