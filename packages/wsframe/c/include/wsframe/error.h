/**
 * @file
 * All errors, and the close code for each.
 *
 * All errors are negative numbers, so that one `int` can be a count, "need more" or an error. The
 * table of these functions is in src/error.c.
 */
#ifndef WSFRAME_ERROR_H
#define WSFRAME_ERROR_H

#include <stdint.h>

#include "export.h"

/** Errors in the input, then errors in the use. All are negative; 0 is "no error". */
typedef enum wsf_error {
    WSF_OK = 0, /**< No error. */

    /* Violations by the peer, closed with 1002, protocol error. */
    WSF_ERR_OPCODE = -1,              /**< Opcode 3 to 7 or 11 to 15. RFC 6455, 5.2 */
    WSF_ERR_RESERVED_BITS = -2,       /**< Reserved bit that was not negotiated. 5.2 */
    WSF_ERR_CONTROL_FRAGMENTED = -3,  /**< Control frame without FIN. 5.5 */
    WSF_ERR_CONTROL_TOO_LONG = -4,    /**< Control frame with more than 125 bytes. 5.5 */
    WSF_ERR_LENGTH_TOP_BIT = -5,      /**< 64-bit length with its most significant bit set. 5.2 */
    WSF_ERR_LENGTH_NOT_SHORTEST = -6, /**< Length not in its shortest form. 5.2 */
    WSF_ERR_NOT_MASKED = -7,          /**< Unmasked frame from a client. 5.1 */
    WSF_ERR_MASKED = -8,              /**< Masked frame from a server. 5.1 */
    WSF_ERR_NO_MESSAGE = -9,          /**< Continuation without a message to continue. 5.4 */
    WSF_ERR_INSIDE_MESSAGE = -10,     /**< New message inside a fragmented one. 5.4 */
    WSF_ERR_CLOSE_SIZE = -11,         /**< CLOSE with a payload of one byte. 5.5.1 */
    WSF_ERR_CLOSE_CODE = -12,         /**< Close code that must not be sent. 7.4 */

    /* 1007, invalid data. */
    WSF_ERR_UTF8 = -13,       /**< Text is not UTF-8. 8.1 */
    WSF_ERR_CLOSE_UTF8 = -14, /**< Close reason is not UTF-8. 8.1 */

    /* 1009, too big. */
    WSF_ERR_FRAME_TOO_BIG = -15,      /**< Payload over max_frame_size. 7.4.1 */
    WSF_ERR_MESSAGE_TOO_BIG = -16,    /**< Message over max_message_size. 7.4.1 */
    WSF_ERR_TOO_MANY_FRAGMENTS = -17, /**< Message in more than max_fragments frames. 7.4.1 */

    /* A violation by our own endpoint: 1002. The parser never reports it: data from a peer after
     * its CLOSE frame is ignored. */
    WSF_ERR_AFTER_CLOSE = -18, /**< A frame after a CLOSE frame. 5.5.1 */

    /* Errors of our own endpoint: 1011, internal error. */
    WSF_ERR_ARGUMENT = -19,    /**< An argument outside its documented range. */
    WSF_ERR_UNSUPPORTED = -20, /**< Not supported by this processor. */
    WSF_ERR_RANDOM = -21       /**< The source of random bytes failed. */
} wsf_error;

WSF_BEGIN_DECLS

/** Return the close code for an error (RFC 6455, 7.4.1).
 *
 * @param error  an enumerator of #wsf_error.
 * @return 1002, 1007, 1009 or 1011 for an error; 1000 for #WSF_OK; 1011 for any unknown number.
 */
WSF_API uint16_t wsf_error_close_code(int error);

/** Return the name of an error, for logs and tests.
 *
 * @param error  an enumerator of #wsf_error.
 * @return its name without the prefix, such as "LENGTH_TOP_BIT"; "UNKNOWN" for any other number.
 *         A static string, never NULL; do not free it.
 */
WSF_API const char *wsf_error_name(int error);

/** Return a short description of an error, which fits into the reason of a CLOSE frame.
 *
 * @param error  an enumerator of #wsf_error.
 * @return a static ASCII string of at most 123 characters, never NULL; do not free it.
 */
WSF_API const char *wsf_error_text(int error);

WSF_END_DECLS

#endif
