/*
 * Runs the table of parser_cases.c: each case in both modes, whole, byte by byte, and cut in two
 * at every position. The log must always be the same.
 * Bytes are passed directly before a protected page, at a new address each time, as a caller with
 * its own buffer would do.
 */
#include <stdlib.h>

#include "check.h"
#include "guarded.h"
#include "parser_cases.h"
#include "wire.h"

#define MAX_WIRE 70000

typedef struct run {
    wsf_parser parser;
    guarded memory;
    uint8_t waiting[MAX_WIRE]; /* received, not consumed */
    size_t waiting_size;
    uint8_t message[MAX_WIRE]; /* pieces of a frame, put together */
    char log[4096];
    size_t log_size;
    bool failed;
} run;

static void log_text(run *r, const char *text) {
    r->log_size += (size_t)snprintf(r->log + r->log_size, sizeof r->log - r->log_size, "%s", text);
}

static const char *opcode_name(uint8_t opcode) {
    static const char *const names[16] = {
        "CONTINUATION", "TEXT", "BINARY", "?", "?", "?", "?", "?",
        "CLOSE",        "PING", "PONG",   "?", "?", "?", "?", "?"};
    return names[opcode & 15];
}

static void log_frame(run *r, const wsf_frame *f) {
    char line[512], payload[300];
    CHECK(f->offset + f->payload_size <= f->frame_size);
    CHECK_EQ(f->first, f->offset == 0);
    CHECK_EQ(f->last, f->offset + f->payload_size == f->frame_size);
    CHECK(r->parser.config.mode == WSF_MODE_STREAM || (f->first && f->last));
    if (f->payload_size) {
        memcpy(r->message + f->offset, f->payload, f->payload_size);
    }
    if (!f->last) {
        CHECK(f->opcode < WSF_OP_CLOSE && f->payload_size > 0);
        return;
    }
    size_t size = (size_t)f->frame_size;
    if (f->opcode == WSF_OP_CLOSE) {
        wire_text(r->message + (size ? 2 : 0), size ? size - 2 : 0, payload, sizeof payload);
        snprintf(line, sizeof line, "CLOSE %d %s\n", f->close_code, payload);
        log_text(r, line);
        return;
    }
    wire_text(r->message, size, payload, sizeof payload);
    CHECK_EQ(f->close_code, 0);
    log_text(r, opcode_name(f->opcode));
    if (f->opcode == WSF_OP_CONTINUATION) {
        log_text(r, f->message_opcode == WSF_OP_TEXT ? " (TEXT)" : " (BINARY)");
    } else {
        CHECK_EQ(f->message_opcode, f->opcode);
        CHECK_EQ(f->message_rsv, f->rsv);
    }
    log_text(r, f->fin ? " fin" : "");
    if (f->rsv) {
        snprintf(line, sizeof line, " rsv=%d", f->rsv);
        log_text(r, line);
    }
    if (f->message_rsv != f->rsv) {
        snprintf(line, sizeof line, " message_rsv=%d", f->message_rsv);
        log_text(r, line);
    }
    snprintf(line, sizeof line, " %s\n", payload);
    log_text(r, line);
}

static void log_error(run *r, int error) {
    char line[200];
    CHECK_EQ(wsf_parser_error(&r->parser), error);
    snprintf(line, sizeof line, "error %s %d @%llu\n", wsf_error_name(error),
             wsf_error_close_code(error), (unsigned long long)wsf_parser_error_offset(&r->parser));
    log_text(r, line);
    r->failed = true;
}

/* Receive bytes: pass them after the unconsumed ones, and log the result. */
static void receive(run *r, const uint8_t *data, size_t size) {
    if (r->failed) {
        size_t consumed = 1;
        wsf_frame frame;
        int error = wsf_parser_error(&r->parser);
        CHECK_EQ(wsf_parser_next(&r->parser, NULL, 0, &consumed, &frame), error);
        CHECK_EQ(consumed, 0);
        return;
    }
    if (size) {
        memcpy(r->waiting + r->waiting_size, data, size);
    }
    size_t left = r->waiting_size + size;
    uint8_t *at = guarded_copy(&r->memory, r->waiting, left);
    for (;;) {
        size_t consumed = 0;
        wsf_frame frame;
        int result = wsf_parser_next(&r->parser, at, left, &consumed, &frame);
        CHECK(consumed <= left);
        at += consumed;
        left -= consumed;
        if (result == WSF_FRAME) {
            log_frame(r, &frame);
            continue;
        }
        if (result < 0) {
            CHECK_EQ(consumed, 0);
            log_error(r, result);
            return;
        }
        break;
    }
    /* The remaining bytes are the beginning of a payload, of which only the rest is missing. */
    if (r->parser.config.mode == WSF_MODE_STREAM) {
        CHECK_EQ(left, 0);
    } else {
        CHECK_EQ(wsf_parser_missing(&r->parser) + left, wsf_parser_payload_size(&r->parser));
    }
    if (left) {
        memcpy(r->waiting, at, left);
    }
    r->waiting_size = left;
}

static void begin(run *r, const parser_case *c, uint8_t mode) {
    wsf_parser_config config = c->config;
    config.mode = mode;
    CHECK_EQ(wsf_parser_init(&r->parser, &config), WSF_OK);
    r->waiting_size = 0;
    r->log_size = 0;
    r->log[0] = 0;
    r->failed = false;
}

static bool end(run *r, const parser_case *c, const char *how, size_t cut) {
    char line[100];
    if (wsf_parser_missing(&r->parser)) {
        snprintf(line, sizeof line, "%llu bytes missing\n",
                 (unsigned long long)wsf_parser_missing(&r->parser));
        log_text(r, line);
    }
    if (strcmp(r->log, c->log) == 0) {
        return true;
    }
    printf("%s, %s, %s %zu\n", c->name,
           r->parser.config.mode == WSF_MODE_STREAM ? "streaming" : "whole frames", how, cut);
    CHECK_STR(r->log, c->log);
    return false;
}

static void run_case(run *r, const parser_case *c, uint8_t mode) {
    static uint8_t wire[MAX_WIRE];
    size_t size = wire_bytes(c->wire, wire, sizeof wire);
    begin(r, c, mode);
    receive(r, wire, size);
    if (!end(r, c, "at once", 0)) {
        return;
    }
    begin(r, c, mode);
    /* A long payload byte by byte takes a copy of it each time; one byte in 509 is enough. */
    size_t step = size > 2000 ? 509 : 1;
    for (size_t i = 0; i < size; i += step) {
        receive(r, wire + i, size - i < step ? size - i : step);
        receive(r, NULL, 0);
    }
    if (!end(r, c, "steps of", step)) {
        return;
    }
    for (size_t cut = 0; cut <= size; cut += size > 2000 && cut > 20 ? 251 : 1) {
        begin(r, c, mode);
        receive(r, wire, cut);
        receive(r, wire + cut, size - cut);
        if (!end(r, c, "cut at", cut)) {
            return;
        }
    }
}

int main(void) {
    static run r;
    r.memory = guarded_new(MAX_WIRE);
    for (size_t i = 0; i < parser_case_count; i++) {
        run_case(&r, &parser_cases[i], WSF_MODE_WHOLE);
        run_case(&r, &parser_cases[i], WSF_MODE_STREAM);
    }
    printf("%zu cases\n", parser_case_count);
    return check_result();
}
