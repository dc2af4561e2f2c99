/* Bytes in and out of one socket, plain or with TLS; and the memory that all sockets share: the
 * receive buffer, and the buffer for the encrypted output of TLS.
 *
 * One recv() per call of wire_read() as long as it brings whole records, one send() per call of
 * wire_write().
 */
#ifndef WIRE_H
#define WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"

typedef struct wire {
    int fd;
    SSL *ssl;    /* NULL without TLS */
    bool ended;  /* by the peer's close_notify, so that the socket may stay open */
    bool broken; /* TLS cannot be used any more */
    bytes waits; /* output that the socket did not accept, encrypted with TLS */
} wire;

/* The TLS context: for a server with a certificate, for a client without (it trusts any server). */
SSL_CTX *wire_tls(const char *certificate);

/* Take over a socket. `tls` is NULL or from wire_tls(). */
void wire_open(wire *w, int fd, SSL_CTX *tls, bool is_server);

/* Send close_notify, if possible, and close the socket. */
void wire_close(wire *w);

/* Continue the TLS handshake: returns 1 when it is done, 0 when it waits, -1 when it failed. */
int wire_handshake(wire *w);

/* Read up to `size` available bytes: returns how many, 0 if there are none, -1 at the end. If it
 * returns `size`, call it again: there may be more that epoll does not report. */
ssize_t wire_read(wire *w, uint8_t *data, size_t size);

/* Whether TLS holds received bytes that epoll does not report. */
bool wire_holds_more(const wire *w);

/* Send, and keep what the socket does not accept. Returns false if the connection is broken. */
bool wire_write(wire *w, const uint8_t *data, size_t size);

/* Send waiting output. Returns false if the connection is broken. */
bool wire_flush(wire *w);

#endif
