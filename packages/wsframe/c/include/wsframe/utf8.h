/**
 * @file
 * Incremental UTF-8 validation (RFC 3629), which fails at the first invalid byte.
 */
#ifndef WSFRAME_UTF8_H
#define WSFRAME_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export.h"

/** A validator between two pieces of text. Owned by the caller; its fields are private. */
typedef struct wsf_utf8 {
    uint8_t need; /**< Private: bytes the current character still needs. */
    uint8_t low;  /**< Private: minimum value of the next one of them. */
    uint8_t high; /**< Private: maximum value of the next one of them. */
} wsf_utf8;

WSF_BEGIN_DECLS

/**
 * Begin a text.
 *
 * @param validator  the validator to set up.
 */
WSF_API void wsf_utf8_init(wsf_utf8 *validator);

/**
 * Validate the next piece of the text, which may begin and end inside a character.
 * A byte is invalid as soon as no text can have it at its position: overlong forms, surrogates and
 * characters over U+10FFFF fail at their second byte at the latest.
 *
 * @param validator  one set up by wsf_utf8_init().
 * @param data       the piece; only read. May be NULL if size is 0.
 * @param size       its size in bytes.
 * @return `size` if all bytes are valid so far; otherwise the index of the first invalid byte.
 *         After that the text stays invalid: each further call returns 0, until wsf_utf8_init().
 */
WSF_API size_t wsf_utf8_feed(wsf_utf8 *validator, const uint8_t *data, size_t size);

/** Return whether the text may end here.
 *
 * @param validator  one set up by wsf_utf8_init().
 * @return true after a complete character or an empty text; false inside a character, or after an
 *         invalid byte.
 */
WSF_API bool wsf_utf8_finish(const wsf_utf8 *validator);

/**
 * Validate a whole text at once.
 *
 * @param data  the text; only read. May be NULL if size is 0.
 * @param size  its size in bytes.
 * @return true if it is UTF-8.
 */
WSF_API bool wsf_utf8_valid(const uint8_t *data, size_t size);

WSF_END_DECLS

#endif
