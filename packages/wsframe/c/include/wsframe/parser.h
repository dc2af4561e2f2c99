/**
 * @file
 * The stream parser: bytes in, frames out, with all checks that span frames.
 *
 * The caller owns the parser and the bytes. The parser never allocates, never calls back and never
 * does I/O; it unmasks payloads in place. It can be resumed at any byte.
 */
#ifndef WSFRAME_PARSER_H
#define WSFRAME_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"
#include "header.h"
#include "utf8.h"

/** The endpoint of the parser: a server receives masked frames, a client unmasked ones. */
typedef enum wsf_role { WSF_ROLE_CLIENT = 0, WSF_ROLE_SERVER = 1 } wsf_role;

/** How payloads are delivered. */
typedef enum wsf_mode {
    WSF_MODE_WHOLE = 0, /**< Each frame once, when its whole payload is contiguous. */
    WSF_MODE_STREAM = 1 /**< Payloads of data frames in pieces, as they arrive. */
} wsf_mode;

/** Result of wsf_parser_next(): no frame, more bytes are needed. */
#define WSF_NEED_MORE 0
/** Result of wsf_parser_next(): a frame, or a piece of one. */
#define WSF_FRAME 1

/** Configuration of a parser. All zeros mean: a client, whole frames, no checks of text, no
 * limits. */
typedef struct wsf_parser_config {
    uint64_t max_frame_size;   /**< Bytes of payload in one data frame; 0 for no limit. */
    uint64_t max_message_size; /**< Bytes of payload in all frames of a message; 0 for no limit. */
    uint32_t max_fragments;    /**< Frames in a message, including empty ones; 0 for no limit. */
    uint8_t role;              /**< #wsf_role: our endpoint. */
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
    uint64_t offset;     /**< Position of this piece in the frame's payload; 0 if whole. */
    uint8_t opcode;      /**< One of #wsf_opcode, as on the wire. */
    uint8_t message_opcode; /**< For a continuation the opcode of its message, else as opcode. */
    uint8_t fin;            /**< 1 in the last frame of a message and in control frames. */
    uint8_t rsv;            /**< Reserved bits of this frame. */
    uint8_t message_rsv;    /**< For a continuation those of its message's first frame, else rsv. */
    uint8_t first;          /**< 1 if this is the first piece of its frame. */
    uint8_t last;           /**< 1 if this is the last piece of its frame. */
    uint16_t close_code;    /**< For CLOSE the code, #WSF_CLOSE_NO_STATUS if there is none, and the
                                 reason begins at payload[2]; 0 for other opcodes. */
} wsf_frame;

/** A parser. Owned by the caller, who may place it anywhere and copy it while none of its frames is
 * in use. Its fields are private: they are declared only to make its size known.
 */
typedef struct wsf_parser {
    wsf_parser_config config;          /**< Private. */
    wsf_header header;                 /**< Private: of the current frame. */
    uint64_t position;                 /**< Private: of the current frame's first byte. */
    uint64_t done;                     /**< Private: payload bytes unmasked and checked. */
    uint64_t message_size;             /**< Private: announced so far, in this message. */
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
 * @param parser  the parser; its previous contents are overwritten.
 * @param config  copied.
 * @return 0 on success; #WSF_ERR_ARGUMENT if role, mode or reserved bits are out of range; then
 *         the parser rejects all input with that error.
 */
WSF_API int wsf_parser_init(wsf_parser *parser, const wsf_parser_config *config);

/** Parse the next frame, or piece of a frame, in received bytes.
 *
 * Call it in a loop, each time with the bytes after the consumed ones, until it returns
 * #WSF_NEED_MORE. Header bytes are always consumed at once. In #WSF_MODE_WHOLE an incomplete
 * payload is not consumed: keep it, and pass it again from its start, followed by more bytes. It
 * may be at another address, but must not be changed: its bytes are already unmasked. In
 * #WSF_MODE_STREAM everything is consumed; only control frames are held back, inside the parser,
 * until they are complete.
 *
 * After a CLOSE frame all further bytes are consumed and ignored (RFC 6455, 5.5.1).
 *
 * @param parser    one set up by wsf_parser_init().
 * @param data      received bytes. Payloads are unmasked in place. May be NULL if size is 0.
 * @param size      how many.
 * @param consumed  receives the number of consumed bytes: of the returned frame, of headers, or
 *                  after CLOSE; 0 with an error. Must not be NULL.
 * @param frame     receives the frame; written only with #WSF_FRAME. Its payload stays where it
 *                  was received, and is valid as long as the caller keeps that memory.
 * @return #WSF_FRAME (1) if *frame was filled; #WSF_NEED_MORE (0) if all usable bytes were
 *         consumed; otherwise an error of the peer, which every later call returns, too:
 *         any #wsf_error from #WSF_ERR_OPCODE to #WSF_ERR_TOO_MANY_FRAGMENTS; or
 *         #WSF_ERR_ARGUMENT after a failed wsf_parser_init().
 */
WSF_API int wsf_parser_next(wsf_parser *parser, uint8_t *data, size_t size, size_t *consumed,
                            wsf_frame *frame);

/** Return the payload size of the incomplete frame.
 *
 * In #WSF_MODE_WHOLE this is the number of contiguous bytes that wsf_parser_next() needs, so the
 * caller can enlarge its buffer just once.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return bytes of payload; 0 if no header is complete, or the frame is.
 */
WSF_API uint64_t wsf_parser_payload_size(const wsf_parser *parser);

/** Return the number of missing payload bytes of the incomplete frame.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return bytes to come until the frame is complete; 0 as for wsf_parser_payload_size().
 */
WSF_API uint64_t wsf_parser_missing(const wsf_parser *parser);

/** Return whether a CLOSE frame was received.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return true if so; then all further input is ignored.
 */
WSF_API bool wsf_parser_closed(const wsf_parser *parser);

/** Return the error of the stream.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return 0, or the error that wsf_parser_next() returned.
 */
WSF_API int wsf_parser_error(const wsf_parser *parser);

/** Return the position of the error in the stream.
 *
 * @param parser  one set up by wsf_parser_init().
 * @return the number of bytes before it: before the invalid byte of a text or reason, before the
 *         payload of an invalid CLOSE, or before the frame if its header is invalid; 0 if there is
 *         no error.
 */
WSF_API uint64_t wsf_parser_error_offset(const wsf_parser *parser);

WSF_END_DECLS

#endif
