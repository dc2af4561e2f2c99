/*
 * Close codes and CLOSE payloads (RFC 6455, 5.5.1 and 7.4).
 */
#include "wsframe/close.h"

#include "platform.h"
#include "wsframe/error.h"
#include "wsframe/header.h"
#include "wsframe/utf8.h"

bool wsf_close_code_valid(uint32_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int wsf_close_decode(wsf_close *out, const uint8_t *payload, size_t size) {
    wsf_close close = {NULL, 0, WSF_CLOSE_NO_STATUS};
    if (size == 1) {
        return WSF_ERR_CLOSE_SIZE;
    }
    if (size > WSF_MAX_CONTROL_SIZE) {
        return WSF_ERR_CONTROL_TOO_LONG;
    }
    if (size != 0) {
        close.code = (uint16_t)(payload[0] << 8 | payload[1]);
        close.reason = payload + 2;
        close.reason_size = size - 2;
        if (!wsf_close_code_valid(close.code)) {
            return WSF_ERR_CLOSE_CODE;
        }
        if (!wsf_utf8_valid(close.reason, close.reason_size)) {
            return WSF_ERR_CLOSE_UTF8;
        }
    }
    *out = close;
    return WSF_OK;
}

int wsf_close_encode(uint8_t *out, uint32_t code, const uint8_t *reason, size_t reason_size) {
    if (code == WSF_CLOSE_NO_STATUS) {
        return reason_size == 0 ? 0 : WSF_ERR_CONTROL_TOO_LONG;
    }
    if (!wsf_close_code_valid(code)) {
        return WSF_ERR_CLOSE_CODE;
    }
    if (reason_size > WSF_MAX_CLOSE_REASON_SIZE) {
        return WSF_ERR_CONTROL_TOO_LONG;
    }
    if (!wsf_utf8_valid(reason, reason_size)) {
        return WSF_ERR_CLOSE_UTF8;
    }
    out[0] = (uint8_t)(code >> 8);
    out[1] = (uint8_t)code;
    if (reason_size != 0) {
        memcpy(out + 2, reason, reason_size);
    }
    return (int)(2 + reason_size);
}
