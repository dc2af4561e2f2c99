/*
 * The server: accepts on a free port of loopback, which it says, and does its task until the end
 * of its standard input.
 */
#pragma once

#include "options.h"

void serve(const options *o);
