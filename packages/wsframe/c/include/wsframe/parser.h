/**
 * @file
 * The stream parser: bytes in, frames out, everything checked that spans frames.
 *
 * The caller owns the parser and the bytes. The parser never allocates, never calls back, never
 * does I/O; it unmasks payloads where they lie. It may be resumed at any byte.
 */
#ifndef WSFRAME_PARSER_H
#define WSFRAME_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"
#include "header.h"
#include "utf8.h"

/** Which side the parser is on: a server receives masked frames, a client unmasked ones. */
typedef enum wsf_role { WSF_ROLE_CLIENT = 0, WSF_ROLE_SERVER = 1 } wsf_role;

/** How payloads are delivered. */
typedef enum wsf_mode {
    WSF_MODE_WHOLE = 0, /**< Each frame once, when its whole payload lies in one piece. */
    WSF_MODE_STREAM = 1 /**< Payloads of data frames piece by piece, as they arrive. */
} wsf_mode;

/** Result of wsf_parser_next(): no frame, bytes are missing. */
#define WSF_NEED_MORE 0
/** Result of wsf_parser_next(): a frame, or a piece of one. */
#define WSF_FRAME 1

/** What a parser is to accept. All zero means: a client, whole frames, no checks of text, no
 * limits. */
typedef struct wsf_parser_config {
    uint64_t max_frame_size;   /**< Bytes of payload in one data frame; 0 for no limit. */
    uint64_t max_message_size; /**< Bytes of payload in all frames of a message; 0 for no limit. */
    uint32_t max_fragments;    /**< Frames in a message, empty ones too; 0 for no limit. */
    uint8_t role;              /**< #wsf_role: the side we are. */
    uint8_t mode;              /**< #wsf_mode. */
    uint8_t rsv_allowed;       /**< Reserved bits negotiated for the first frame of a message. */
    uint8_t rsv_continuation;  /**< Reserved bits negotiated for its further frames. */
    uint8_t check_utf8;        /**< Whether text must be UTF-8, unless its message has #WSF_RSV1. */
} wsf_parser_config;

/** A frame, or in #WSF_MODE_STREAM a piece of one. */
typedef struct wsf_frame {
    uint8_t *payload;    /**< Unmasked; inside the caller's bytes, or (only for a control frame in
                              #WSF_MODE_STREAM) inside the parser until the next call. */
    size_t payload_size; /**< Bytes at payload. */
    uint64_t frame_size; /**< Bytes of payload in the whole frame. */
    uint64_t offset;     /**< Where in the frame's payload this piece begins; 0 if whole. */
    uint8_t opcode;      /**< One of #wsf_opcode, as on the wire. */
    uint8_t message_opcode; /**< For a continuation the opcode of its message, else as opcode. */
    uint8_t fin;            /**< 1 in the last frame of a message and in control frames. */
    uint8_t rsv;            /**< Reserved bits of this frame. */
    uint8_t message_rsv;    /**< For a continuation those of its message's first frame, else rsv. */
    uint8_t first;          /**< 1 if this is the first piece of its frame. */
    uint8_t last;           /**< 1 if this is the last piece of its frame. */
    uint16_t close_code;    /**< For CLOSE the code, #WSF_CLOSE_NO_STATUS if there is none, and the
                                 reason is what follows payload[1]; 0 for other opcodes. */
} wsf_frame;

/**
 * A parser. Owned by the caller, who may place it anywhere and copy it while no frame of it is in
 * use. Its fields are private: they are here only so that its size is known.
 */
typedef struct wsf_parser {
    wsf_parser_config config;          /**< Private. */
    wsf_header header;                 /**< Private: of the current frame. */
    uint64_t position;                 /**< Private: of the current frame's first byte. */
    uint64_t done;                     /**< Private: payload bytes unmasked and checked. */
    uint64_t message_size;             /**< Private: declared so far, in this message. */
    uint64_t error_offset;             /**< Private. */
    uint32_t fragments;                /**< Private: frames so far, in this message. */
    int32_t error;                     /**< Private. */
    wsf_utf8 utf8;                     /**< Private: of the current message. */
    uint8_t state;                     /**< Private. */
    uint8_t header_size;               /**< Private: of the current frame. */
    uint8_t message_opcode;            /**< Private: 0 between messages. */
    uint8_t message_rsv;               /**< Private: of the message's first frame. */
    uint8_t is_text;                   /**< Private: whether the current message must be UTF-8. */
    uint8_t held_size;                 /**< Private: bytes of an incomplete header. */
    uint8_t held[WSF_MAX_HEADER_SIZE]; /**< Private. */
    uint8_t control[WSF_MAX_CONTROL_SIZE]; /**< Private: a control frame split between reads. */
} wsf_parser;

WSF_BEGIN_DECLS

/**
 * Set up a parser at the start of a stream of frames.
 *
 * @param parser  the parser; whatever it held before is overwritten.
 * @param config  copied.
 * @return 0 on success; #WSF_ERR_ARGUMENT if role, mode or reserved bits are out of range, and
 *         then the parser refuses all input with that error.
 */
WSF_API int wsf_parser_init(wsf_parser *parser, const wsf_parser_config *config);

/**
 * Look for the next frame, or piece of a frame, in received bytes.
 *
 * Call it in a loop, each time behind the bytes that were consumed, until it returns
 * #WSF_NEED_MORE. Header bytes are always consumed at once. In #WSF_MODE_WHOLE an incomplete
 * payload is not consumed: keep it, and present it again from its start with more bytes behind it,
 * at any address, but without changing it: its bytes are already unmasked. In #WSF_MODE_STREAM
 * everything is consumed; only control frames are held back, inside the parser, until complete.
 *
 * After a CLOSE frame all further bytes are consumed and ignored (RFC 6455, 5.5.1).
 *
 * @param parser    one set up by wsf_parser_init().
 * @param data      received bytes. Payloads are unmasked in place. May be NULL if size is 0.
 * @param size      how many.
 * @param consumed  receives how many of them are done with: for the frame that is returned, for
 *                  header bytes, or for bytes after CLOSE; 0 with an error. Never NULL.
 * @param frame     receives the frame; written only with #WSF_FRAME. Its payload stays where it
 *                  was received, and lives as long as the caller keeps that memory.
 * @return #WSF_FRAME (1) if *frame was filled; #WSF_NEED_MORE (0) if all bytes that can be used
 *         were used; otherwise a fault of the peer, from now on returned by every call:
 *         any #wsf_error from #WSF_ERR_OPCODE to #WSF_ERR_TOO_MANY_FRAGMENTS; or
 *         #WSF_ERR_ARGUMENT after a failed wsf_parser_init().
 */
WSF_API int wsf_parser_next(wsf_parser *parser, uint8_t *data, size_t size, size_t *consumed,
                            wsf_frame *frame);

/**
 * The payload size of the frame that is not complete yet.
 *
 * In #WSF_MODE_WHOLE this is how many contiguous bytes wsf_parser_next() must be given, so a
 * caller can grow its buffer once.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return bytes of payload; 0 if no header is complete, or the frame is.
 */
WSF_API uint64_t wsf_parser_payload_size(const wsf_parser *parser);

/**
 * How many payload bytes of the frame that is not complete yet have not been seen.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return bytes to come until the frame is complete; 0 as for wsf_parser_payload_size().
 */
WSF_API uint64_t wsf_parser_missing(const wsf_parser *parser);

/**
 * Whether a CLOSE frame was received.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return true if so; all further input is ignored.
 */
WSF_API bool wsf_parser_closed(const wsf_parser *parser);

/**
 * The error of the stream.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return 0, or what wsf_parser_next() returned.
 */
WSF_API int wsf_parser_error(const wsf_parser *parser);

/**
 * Where in the stream the error is.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return how many bytes of the stream come before it: before the bad byte of a text or reason,
 *         before the payload of a bad CLOSE, or before the frame if its header is at fault; 0 if
 *         there is no error.
 */
WSF_API uint64_t wsf_parser_error_offset(const wsf_parser *parser);

WSF_END_DECLS

#endif
