/**
 * @file
 * Close codes and the payload of CLOSE frames (RFC 6455, 5.5.1 and 7.4).
 */
#ifndef WSFRAME_CLOSE_H
#define WSFRAME_CLOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"

/** Registered close codes. Those marked "never sent" are only reported to the application. */
typedef enum wsf_close_code {
    WSF_CLOSE_NORMAL = 1000,
    WSF_CLOSE_GOING_AWAY = 1001,
    WSF_CLOSE_PROTOCOL_ERROR = 1002,
    WSF_CLOSE_UNSUPPORTED_DATA = 1003,
    WSF_CLOSE_NO_STATUS = 1005, /**< Never sent: the CLOSE frame had no code. */
    WSF_CLOSE_ABNORMAL = 1006,  /**< Never sent: the connection ended without CLOSE. */
    WSF_CLOSE_INVALID_DATA = 1007,
    WSF_CLOSE_POLICY_VIOLATION = 1008,
    WSF_CLOSE_TOO_BIG = 1009,
    WSF_CLOSE_MANDATORY_EXTENSION = 1010,
    WSF_CLOSE_INTERNAL_ERROR = 1011,
    WSF_CLOSE_SERVICE_RESTART = 1012,
    WSF_CLOSE_TRY_AGAIN_LATER = 1013,
    WSF_CLOSE_BAD_GATEWAY = 1014,
    WSF_CLOSE_TLS_HANDSHAKE = 1015 /**< Never sent: TLS failed. */
} wsf_close_code;

/** The longest close reason, in bytes of UTF-8. */
#define WSF_MAX_CLOSE_REASON_SIZE 123

/** A decoded CLOSE payload. */
typedef struct wsf_close {
    const uint8_t *reason; /**< UTF-8, inside the decoded payload, not terminated; may be NULL. */
    size_t reason_size;    /**< 0 to 123. */
    uint16_t code;         /**< The code, or #WSF_CLOSE_NO_STATUS if there is none. */
} wsf_close;

WSF_BEGIN_DECLS

/** Return whether a code may be sent in a CLOSE frame.
 *
 * @param code  any number.
 * @return true for 1000 to 1003, 1007 to 1014 and 3000 to 4999.
 */
WSF_API bool wsf_close_code_valid(uint32_t code);

/**
 * Decode the payload of a CLOSE frame.
 *
 * @param out      receives the result, which points into payload; written only on success.
 * @param payload  the unmasked payload; only read. May be NULL if size is 0.
 * @param size     its size.
 * @return 0 on success; #WSF_ERR_CLOSE_SIZE for one byte; #WSF_ERR_CLOSE_CODE for a code that must
 *         not be sent; #WSF_ERR_CLOSE_UTF8 if the reason is not UTF-8;
 *         #WSF_ERR_CONTROL_TOO_LONG for more than 125 bytes.
 */
WSF_API int wsf_close_decode(wsf_close *out, const uint8_t *payload, size_t size);

/**
 * Encode the payload of a CLOSE frame.
 *
 * @param out          at least 2 + reason_size bytes.
 * @param code         the code, or #WSF_CLOSE_NO_STATUS for an empty payload.
 * @param reason       UTF-8; only read. May be NULL if reason_size is 0.
 * @param reason_size  0 to 123; must be 0 with #WSF_CLOSE_NO_STATUS.
 * @return the size of the payload: 0, or 2 to 125; #WSF_ERR_CLOSE_CODE for a code that must not be
 *         sent; #WSF_ERR_CONTROL_TOO_LONG for a reason that does not fit (and for any reason with
 *         #WSF_CLOSE_NO_STATUS); #WSF_ERR_CLOSE_UTF8 if the reason is not UTF-8.
 */
WSF_API int wsf_close_encode(uint8_t *out, uint32_t code, const uint8_t *reason,
                             size_t reason_size);

WSF_END_DECLS

#endif
