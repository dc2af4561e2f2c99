/**
 * @file
 * Mask keys that a peer cannot predict (RFC 6455, 5.3 and 10.3).
 *
 * The bytes come from the kernel, fetched in batches that belong to one thread each. A child made
 * by fork() drops the batch it inherited, so parent and child never use the same keys.
 */
#ifndef WSFRAME_RANDOM_H
#define WSFRAME_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"

/**
 * A source of random bytes, given by the embedder.
 *
 * Called by wsf_mask_key() on whatever thread calls that.
 *
 * @param context  what was given to wsf_set_random_source().
 * @param out      receives the bytes.
 * @param size     how many are wanted; always 4 at present.
 * @return 0 if all of them were written; anything else is a failure.
 */
typedef int (*wsf_random_source)(void *context, uint8_t *out, size_t size);

WSF_BEGIN_DECLS

/**
 * Make a fresh mask key.
 *
 * Safe to call from any thread and after fork().
 *
 * @param key  receives the key; zeros if the call fails.
 * @return 0 on success; #WSF_ERR_RANDOM if the source failed, which the kernel's does only where
 *         there is neither getrandom() nor /dev/urandom: the key must then not be used.
 */
WSF_API int wsf_mask_key(uint8_t key[4]);

/**
 * Replace the kernel as the source of mask keys, for reproducible tests or special hardware.
 *
 * It is asked anew for every key. Call this while no other thread is inside wsf_mask_key().
 *
 * @param source   the new source, or NULL for the kernel again.
 * @param context  handed to source; stays the caller's and must outlive its use.
 */
WSF_API void wsf_set_random_source(wsf_random_source source, void *context);

WSF_END_DECLS

#endif
