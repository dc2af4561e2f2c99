/* The table of all errors: name, text and close code.
 */
#include "wsframe/error.h"

#include "wsframe/close.h"

typedef struct error_entry {
    const char *name;
    const char *text;
    uint16_t close_code;
} error_entry;

#define ENTRY(name, code, text) [-WSF_ERR_##name] = {#name, text, WSF_CLOSE_##code}

/* Indexed by the negated error. */
static const error_entry errors[] = {
    [0] = {"OK", "no error", WSF_CLOSE_NORMAL},
    ENTRY(OPCODE, PROTOCOL_ERROR, "reserved opcode"),
    ENTRY(RESERVED_BITS, PROTOCOL_ERROR, "reserved bit without a negotiated extension"),
    ENTRY(CONTROL_FRAGMENTED, PROTOCOL_ERROR, "fragmented control frame"),
    ENTRY(CONTROL_TOO_LONG, PROTOCOL_ERROR, "control frame over 125 bytes"),
    ENTRY(LENGTH_TOP_BIT, PROTOCOL_ERROR, "64-bit length with the top bit set"),
    ENTRY(LENGTH_NOT_SHORTEST, PROTOCOL_ERROR, "length not in its shortest form"),
    ENTRY(NOT_MASKED, PROTOCOL_ERROR, "unmasked frame from a client"),
    ENTRY(MASKED, PROTOCOL_ERROR, "masked frame from a server"),
    ENTRY(NO_MESSAGE, PROTOCOL_ERROR, "continuation without a message"),
    ENTRY(INSIDE_MESSAGE, PROTOCOL_ERROR, "new message inside a fragmented message"),
    ENTRY(CLOSE_SIZE, PROTOCOL_ERROR, "close frame with a payload of one byte"),
    ENTRY(CLOSE_CODE, PROTOCOL_ERROR, "close code that may not be sent"),
    ENTRY(UTF8, INVALID_DATA, "text is not UTF-8"),
    ENTRY(CLOSE_UTF8, INVALID_DATA, "close reason is not UTF-8"),
    ENTRY(FRAME_TOO_BIG, TOO_BIG, "frame over the size limit"),
    ENTRY(MESSAGE_TOO_BIG, TOO_BIG, "message over the size limit"),
    ENTRY(TOO_MANY_FRAGMENTS, TOO_BIG, "message in too many fragments"),
    ENTRY(AFTER_CLOSE, PROTOCOL_ERROR, "frame behind a close frame"),
    ENTRY(ARGUMENT, INTERNAL_ERROR, "argument out of range"),
    ENTRY(UNSUPPORTED, INTERNAL_ERROR, "not supported by this processor"),
    ENTRY(RANDOM, INTERNAL_ERROR, "no random bytes available"),
};

static const error_entry unknown = {"UNKNOWN", "unknown error", WSF_CLOSE_INTERNAL_ERROR};

static const error_entry *find(int error) {
    int count = (int)(sizeof errors / sizeof errors[0]);
    return error <= 0 && error > -count ? &errors[-error] : &unknown;
}

uint16_t wsf_error_close_code(int error) {
    return find(error)->close_code;
}

const char *wsf_error_name(int error) {
    return find(error)->name;
}

const char *wsf_error_text(int error) {
    return find(error)->text;
}
