/**
 * @file
 * Masking keys that a peer cannot predict (RFC 6455, 5.3 and 10.3).
 *
 * The bytes come from the kernel, in batches; each batch belongs to one thread. After fork() the
 * child discards the batch it inherited, so parent and child never use the same keys.
 */
#ifndef WSFRAME_RANDOM_H
#define WSFRAME_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "export.h"

/** A source of random bytes, provided by the program.
 *
 * wsf_mask_key() calls it, on its own thread.
 *
 * @param context  the argument of wsf_set_random_source().
 * @param out      receives the bytes.
 * @param size     how many to write; currently always 4.
 * @return 0 if all of them were written; any other value is a failure.
 */
typedef int (*wsf_random_source)(void *context, uint8_t *out, size_t size);

WSF_BEGIN_DECLS

/** Generate a fresh masking key.
 *
 * Safe to call from any thread and after fork().
 *
 * @param key  receives the key; zeros if the call fails.
 * @return 0 on success; #WSF_ERR_RANDOM if the source failed; then the key must not be used. The
 *         kernel's source fails only if there is neither getrandom() nor /dev/urandom.
 */
WSF_API int wsf_mask_key(uint8_t key[4]);

/** Replace the kernel as the source of masking keys, for reproducible tests or special hardware.
 *
 * The source is called for every key. Call this while no other thread is inside wsf_mask_key().
 *
 * @param source   the new source, or NULL to use the kernel again.
 * @param context  passed to source; owned by the caller, and must outlive its use.
 */
WSF_API void wsf_set_random_source(wsf_random_source source, void *context);

WSF_END_DECLS

#endif
