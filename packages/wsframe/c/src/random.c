/* Masking keys (RFC 6455, 10.3), from batches of kernel randomness or from the program's source.
 *
 * A batch belongs to one thread and is discarded after fork(); used keys are wiped from it.
 */
#include "wsframe/random.h"

#include "entropy.h"
#include "platform.h"
#include "wsframe/error.h"

#define KEY_SIZE 4
#define BATCH_SIZE 1024

typedef struct key_batch {
    unsigned generation; /* of the process that filled it */
    size_t left;         /* unused bytes, at the end of bytes */
    uint8_t bytes[BATCH_SIZE];
} key_batch;

static WSF_THREAD_LOCAL key_batch batch;

static wsf_random_source user_source;
static void *user_context;

void wsf_set_random_source(wsf_random_source source, void *context) {
    user_source = source;
    user_context = context;
}

static bool key_from_batch(uint8_t key[4]) {
    unsigned generation = wsf_fork_generation();
    if (!generation) {
        return wsf_entropy(key, KEY_SIZE);
    }
    if (batch.left == 0 || batch.generation != generation) {
        batch.left = 0;
        if (!wsf_entropy(batch.bytes, BATCH_SIZE)) {
            return false;
        }
        batch.left = BATCH_SIZE;
        batch.generation = generation;
    }
    uint8_t *from = batch.bytes + BATCH_SIZE - batch.left;
    memcpy(key, from, KEY_SIZE);
    memset(from, 0, KEY_SIZE);
    batch.left -= KEY_SIZE;
    return true;
}

int wsf_mask_key(uint8_t key[4]) {
    bool made = user_source ? user_source(user_context, key, KEY_SIZE) == 0 : key_from_batch(key);
    if (!made) {
        memset(key, 0, KEY_SIZE);
        return WSF_ERR_RANDOM;
    }
    return WSF_OK;
}
