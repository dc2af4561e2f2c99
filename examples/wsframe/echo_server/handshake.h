/* The server's side of the opening handshake (RFC 6455, 4.2), reduced to the needs of an example.
 */
#ifndef ECHO_HANDSHAKE_H
#define ECHO_HANDSHAKE_H

#include <stddef.h>

#define MAX_REPLY_SIZE 256

/* Answer the request head at `head`, which ends with an empty line.
 * Writes the reply to `reply`; returns its size. *accepted is set to whether it is a 101. */
size_t handshake_reply(const char *head, size_t size, char *reply, int *accepted);

#endif
