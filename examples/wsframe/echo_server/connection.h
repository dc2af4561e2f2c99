/*
 * One connection of the echo server: its bytes in, its frames, its bytes out.
 */
#ifndef ECHO_CONNECTION_H
#define ECHO_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsframe/wsframe.h>

/* Unprocessed bytes: data[begin] to data[end - 1]. */
typedef struct buffer {
    uint8_t *data;
    size_t begin, end, capacity;
} buffer;

typedef struct connection {
    int fd;
    bool upgraded; /* the opening handshake is complete */
    bool closing;  /* nothing more is read; the connection ends once everything is sent */
    wsf_parser parser;
    buffer in, out;
} connection;

connection *connection_new(int fd);
void connection_free(connection *c);

/* Read and write the ready socket. Returns false if the connection has ended and must be freed. */
bool connection_ready(connection *c, bool readable);

/* Whether it waits for room to send, and so must not read more. */
bool connection_is_full(const connection *c);

#endif
