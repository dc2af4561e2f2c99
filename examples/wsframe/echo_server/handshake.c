/*
 * The opening handshake: finds the key in the request and answers it. Contract: handshake.h.
 */
#include "handshake.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_SIZE 24 /* 16 bytes in base64 */

static uint32_t rotate(uint32_t x, int bits) {
    return x << bits | x >> (32 - bits);
}

static void sha1_block(uint32_t state[5], const uint8_t *block) {
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 80; i++) {
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                              : (b ^ c ^ d) + 0xCA62C1D6;
        uint32_t next = rotate(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* SHA-1 (RFC 3174) of up to 119 bytes. */
static void sha1(const char *text, size_t size, uint8_t digest[20]) {
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t padded[128] = {0};
    size_t total = size < 56 ? 64 : 128;
    memcpy(padded, text, size);
    padded[size] = 0x80;
    padded[total - 2] = (uint8_t)(size * 8 >> 8);
    padded[total - 1] = (uint8_t)(size * 8);
    for (size_t at = 0; at < total; at += 64) {
        sha1_block(state, padded + at);
    }
    for (int i = 0; i < 20; i++) {
        digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

/* Base64 of a digest: 28 characters and a zero. */
static void base64(const uint8_t digest[20], char out[29]) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8;
        three |= i < 6 ? digest[3 * i + 2] : 0;
        for (int j = 0; j < 4; j++) {
            out[4 * i + j] = letters[three >> (18 - 6 * j) & 63];
        }
    }
    out[27] = '=';
    out[28] = 0;
}

/* The value of a header, or NULL; *value_size receives its size. */
static const char *find_header(const char *head, size_t size, const char *name,
                               size_t *value_size) {
    size_t name_size = strlen(name);
    const char *end = head + size;
    const char *line = head;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL && ++line < end) {
        if ((size_t)(end - line) > name_size && line[name_size] == ':' &&
            strncasecmp(line, name, name_size) == 0) {
            const char *value = line + name_size + 1;
            const char *stop = memchr(value, '\r', (size_t)(end - value));
            while (value < stop && *value == ' ') {
                value++;
            }
            *value_size = stop ? (size_t)(stop - value) : 0;
            return stop ? value : NULL;
        }
    }
    return NULL;
}

size_t handshake_reply(const char *head, size_t size, char *reply, int *accepted) {
    size_t key_size;
    const char *key = find_header(head, size, "Sec-WebSocket-Key", &key_size);
    *accepted = key && key_size == KEY_SIZE && strncmp(head, "GET ", 4) == 0;
    if (!*accepted) {
        return (size_t)snprintf(reply, MAX_REPLY_SIZE,
                                "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"
                                "Content-Length: 0\r\nConnection: close\r\n\r\n");
    }
    char text[KEY_SIZE + sizeof GUID];
    uint8_t digest[20];
    char accept[29];
    memcpy(text, key, KEY_SIZE);
    memcpy(text + KEY_SIZE, GUID, sizeof GUID);
    sha1(text, strlen(text), digest);
    base64(digest, accept);
    return (size_t)snprintf(reply, MAX_REPLY_SIZE,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                            accept);
}
