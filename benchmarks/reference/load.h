/* The load generator: one or many clients that do one job after the other.
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
