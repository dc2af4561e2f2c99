/*
 * The load generator: a client, or many, that does one job after the other.
 *
 * The functions are those of a `program`: dialogue.h.
 */
#ifndef LOAD_H
#define LOAD_H

#include "options.h"

void load_prepare(const options *o);
void load_open(const options *o);
uint64_t load_run(void);
void load_close(void);

#endif
