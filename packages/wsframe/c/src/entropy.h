/*
 * Random bytes from the operating system, and news of fork(); one implementation per system.
 */
#ifndef WSF_ENTROPY_H
#define WSF_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fill `out` from the kernel; false if that is impossible. */
bool wsf_entropy(uint8_t *out, size_t size);

/* A number that differs in a child made by fork(); 0 if the system cannot tell, and then nothing
 * random may be kept from call to call. */
unsigned wsf_fork_generation(void);

#endif
