/* The message to send. Contract: message.h.
 */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOCK 65536
#define BLOCKS_AT_ONCE 16

static uint8_t *payload;
static size_t payload_size;
static int rsv;

static bytes block; /* frames, encoded for the role of the first peer */
static uint32_t block_frames;
static uint64_t written;

void message_prepare(const options *o) {
    payload_size = o->size;
    rsv = o->deflate ? WSF_RSV1 : 0;
    FILE *file = o->payload[0] ? fopen(o->payload, "rb") : NULL;
    if (file) {
        fseek(file, 0, SEEK_END);
        payload_size = (size_t)ftell(file);
        rewind(file);
    }
    payload = calloc(1, payload_size + 1);
    if (!payload || (o->payload[0] && !file) ||
        (file && fread(payload, 1, payload_size, file) != payload_size)) {
        perror("payload");
        exit(1);
    }
    if (file) {
        fclose(file);
    }
}

void message_send(peer *p) {
    peer_send(p, WSF_OP_BINARY, rsv, payload, payload_size);
}

/* Each frame of the block has its own masking key; the block is sent repeatedly. */
static void encode_block(bool masked) {
    do {
        wsf_header header = {
            .payload_size = payload_size, .opcode = WSF_OP_BINARY, .fin = 1, .masked = masked};
        if (masked && wsf_mask_key(header.mask_key)) {
            fprintf(stderr, "no random bytes\n");
            exit(1);
        }
        bytes_reserve(&block, WSF_MAX_HEADER_SIZE + payload_size);
        block.end += wsf_frame_encode(block.data + block.end, &header, payload);
        block_frames++;
    } while (block.end + WSF_MAX_HEADER_SIZE + payload_size <= BLOCK);
}

void message_flood(peer *p) {
    if (!block_frames) {
        encode_block(!p->is_server);
    }
    for (int i = 0; i < BLOCKS_AT_ONCE && bytes_size(&p->wire.waits) == 0; i++) {
        if (!wire_write(&p->wire, block.data, block.end)) {
            p->floods = false; /* the next read detects the end */
            return;
        }
        written += block_frames;
    }
}

uint64_t message_take_count(void) {
    uint64_t count = written;
    written = 0;
    return count;
}
