/*
 * The opening handshake. Contract: handshake.h.
 */
#define _GNU_SOURCE

#include "handshake.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define ACCEPT_SIZE 28 /* 20 bytes in base64 */

static void accept_value(const char *key, char accept[ACCEPT_SIZE + 1]) {
    unsigned char text[KEY_SIZE + sizeof GUID];
    unsigned char digest[SHA_DIGEST_LENGTH];
    memcpy(text, key, KEY_SIZE);
    memcpy(text + KEY_SIZE, GUID, sizeof GUID - 1);
    SHA1(text, KEY_SIZE + sizeof GUID - 1, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

/* The value of a header, at least `size` bytes of it, or NULL. */
static const char *find_header(const char *head, size_t head_size, const char *name, size_t size) {
    size_t name_size = strlen(name);
    const char *end = head + head_size;
    const char *line = head;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL && ++line < end) {
        if ((size_t)(end - line) > name_size && line[name_size] == ':' &&
            strncasecmp(line, name, name_size) == 0) {
            const char *value = line + name_size + 1;
            while (value < end && *value == ' ') {
                value++;
            }
            return (size_t)(end - value) > size ? value : NULL;
        }
    }
    return NULL;
}

size_t handshake_request(char *out, uint16_t port, bool deflate, char key[KEY_SIZE + 1]) {
    unsigned char random[16];
    RAND_bytes(random, sizeof random);
    EVP_EncodeBlock((unsigned char *)key, random, sizeof random);
    return (size_t)snprintf(out, MAX_HEAD_SIZE,
                            "GET / HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: %s\r\n%s\r\n",
                            port, key,
                            deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                                      "client_max_window_bits\r\n"
                                    : "");
}

size_t handshake_reply(char *out, const char *head, size_t size, bool deflate) {
    const char *key = find_header(head, size, "Sec-WebSocket-Key", KEY_SIZE);
    char accept[ACCEPT_SIZE + 1];
    if (!key) {
        return 0;
    }
    accept_value(key, accept);
    return (size_t)snprintf(out, MAX_HEAD_SIZE,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                            accept,
                            deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
}

bool handshake_accepted(const char *head, size_t size, const char *key) {
    char accept[ACCEPT_SIZE + 1];
    const char *value = find_header(head, size, "Sec-WebSocket-Accept", ACCEPT_SIZE);
    accept_value(key, accept);
    return value && strncmp(head, "HTTP/1.1 101", 12) == 0 &&
           strncmp(value, accept, ACCEPT_SIZE) == 0;
}
