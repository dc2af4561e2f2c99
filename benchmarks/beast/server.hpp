/* The server: listens on a free loopback port, which it prints, and does its task until the end of
 * its standard input.
 */
#pragma once

#include "options.h"

void serve(const options *o);
