/* Random bytes from the operating system, and detection of fork(); one implementation per system.
 */
#ifndef WSF_ENTROPY_H
#define WSF_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fill `out` from the kernel; false if that is impossible. */
bool wsf_entropy(uint8_t *out, size_t size);

/* A number that differs in a child created by fork(); 0 if the system cannot detect it, and then no
 * random bytes may be kept between calls. */
unsigned wsf_fork_generation(void);

#endif
