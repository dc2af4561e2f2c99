/* The load generator: one or many clients that do one job after the other.
 *
 * The functions are those of a `program`: reference/dialogue.h.
 */
#pragma once

#include <cstdint>

#include "options.h"

void load_prepare(const options *o);
void load_open(const options *o);
std::uint64_t load_run();
void load_close();
