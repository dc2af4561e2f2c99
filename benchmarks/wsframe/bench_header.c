/*
 * Headers and small frames in nanoseconds and core cycles.
 * Three workloads over a buffer of many frames: the stateless decoder alone, the stream parser
 * (header decoded and checked, no payload), and the parser with masked payloads of 256 bytes. The
 * target is to decode and check a header in less than 40 cycles.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "wsframe/wsframe.h"

#define FRAMES 100

static uint8_t stream[FRAMES * (256 + WSF_MAX_HEADER_SIZE)];
static size_t stream_size;
static volatile uint64_t sink;

static void fill(size_t payload_size, bool masked, bool text) {
    static uint8_t payload[256];
    memset(payload, 'a', sizeof payload);
    stream_size = 0;
    for (int i = 0; i < FRAMES; i++) {
        wsf_header h = {.payload_size = payload_size,
                        .opcode = text ? WSF_OP_TEXT : WSF_OP_BINARY,
                        .fin = 1,
                        .masked = masked,
                        .mask_key = {0, 0, 0, 0}}; /* a stream that unmasking does not change */
        stream_size += wsf_frame_encode(stream + stream_size, &h, payload);
    }
}

static void decode_headers(uint8_t role) {
    (void)role;
    uint64_t sum = 0;
    for (size_t at = 0; at < stream_size;) {
        wsf_header h;
        int size = wsf_header_decode(&h, stream + at, stream_size - at);
        at += (size_t)size + h.payload_size;
        sum += h.opcode;
    }
    sink = sum;
}

static void parse(uint8_t role) {
    wsf_parser_config config = {.role = role, .check_utf8 = 1, .max_message_size = 1 << 20};
    wsf_parser parser;
    wsf_frame frame;
    size_t at = 0, consumed;
    uint64_t sum = 0;
    wsf_parser_init(&parser, &config);
    while (wsf_parser_next(&parser, stream + at, stream_size - at, &consumed, &frame) ==
           WSF_FRAME) {
        at += consumed;
        sum += frame.payload_size;
    }
    sink = sum;
}

static void encode(uint8_t role) {
    static uint8_t out[WSF_MAX_HEADER_SIZE];
    for (int i = 0; i < FRAMES; i++) {
        wsf_header h = {.payload_size = 256, .opcode = WSF_OP_BINARY, .fin = 1, .masked = role};
        sink += wsf_header_encode(out, &h);
    }
}

static void make_keys(uint8_t role) {
    (void)role;
    uint8_t key[4];
    for (int i = 0; i < FRAMES; i++) {
        wsf_mask_key(key);
        sink += key[0];
    }
}

static void measure(const char *name, void (*work)(uint8_t), uint8_t role, double rate) {
    double best = 1e9;
    for (int round = 0; round < 10 * ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < 100; i++) {
            work(role);
        }
        double elapsed = (now() - start) / (100.0 * FRAMES);
        best = elapsed < best ? elapsed : best;
    }
    printf("%-48s %8.2f ns %8.1f cycles\n", name, best * 1e9, best * rate);
}

int main(void) {
    double rate = cycles_per_second();
    printf("%.2f GHz, %s\n", rate * 1e-9, wsf_mask_variant_name(wsf_mask_variant_in_use()));
    fill(16, true, false);
    measure("decode a header, masked", decode_headers, 0, rate);
    fill(0, false, false);
    measure("decode a header, unmasked", decode_headers, 0, rate);
    measure("parse: header decoded and checked, unmasked", parse, WSF_ROLE_CLIENT, rate);
    fill(0, true, false);
    measure("parse: header decoded and checked, masked", parse, WSF_ROLE_SERVER, rate);
    fill(16, true, false);
    measure("parse a masked frame of 16 bytes", parse, WSF_ROLE_SERVER, rate);
    fill(256, true, false);
    measure("parse a masked frame of 256 bytes", parse, WSF_ROLE_SERVER, rate);
    fill(256, true, true);
    measure("parse a masked text of 256 bytes", parse, WSF_ROLE_SERVER, rate);
    fill(256, false, true);
    measure("parse an unmasked text of 256 bytes", parse, WSF_ROLE_CLIENT, rate);
    measure("encode a header", encode, 0, rate);
    measure("encode a masked header", encode, 1, rate);
    measure("make a mask key", make_keys, 0, rate);
    return 0;
}
