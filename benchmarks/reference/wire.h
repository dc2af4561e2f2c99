/*
 * Bytes in and out of one socket, plain or through TLS; and what all sockets share: the memory that
 * is read into, and the one in which TLS leaves what it has encrypted.
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
    bool ended;  /* by the peer, in TLS, so that the socket may stay open */
    bool broken; /* TLS is past any further use */
    bytes waits; /* what the socket did not take, encrypted if it has to be */
} wire;

/* What TLS needs: for a server with a certificate, for a client without (it trusts everybody). */
SSL_CTX *wire_tls(const char *certificate);

/* Take over a socket. `tls` is NULL or from wire_tls(). */
void wire_open(wire *w, int fd, SSL_CTX *tls, bool is_server);

/* Say goodbye in TLS, if that is possible, and close the socket. */
void wire_close(wire *w);

/* Go on with the TLS handshake: 1 when it is done, 0 when it waits, -1 when it failed. */
int wire_handshake(wire *w);

/* Read what is there, up to `size` bytes: how many, 0 if there is nothing, -1 at the end. If it
 * gives all that was asked for, ask again: there may be more, of which epoll knows nothing. */
ssize_t wire_read(wire *w, uint8_t *data, size_t size);

/* Whether TLS holds received bytes of which epoll knows nothing. */
bool wire_holds_more(const wire *w);

/* Send, keeping what the socket does not take. False if the connection is broken. */
bool wire_write(wire *w, const uint8_t *data, size_t size);

/* Send what waits. False if the connection is broken. */
bool wire_flush(wire *w);

#endif
