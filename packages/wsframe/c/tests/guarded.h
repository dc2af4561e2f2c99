/* Memory between two pages that fault at any access, so that an overrun by one byte ends the test.
 */
#ifndef WSF_TEST_GUARDED_H
#define WSF_TEST_GUARDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct guarded {
    uint8_t *start; /* first usable byte, directly after a protected page */
    uint8_t *end;   /* one past the last usable byte: the start of a protected page */
} guarded;

/* Memory of at least `size` bytes; ends the test if there is none. Lives until the end. */
guarded guarded_new(size_t size);

/* The last `size` bytes before the protected page, filled with a copy of `data`. */
uint8_t *guarded_copy(const guarded *g, const void *data, size_t size);

#endif
