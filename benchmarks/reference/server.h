/*
 * The server: accepts on a free port of loopback, which it prints, and does its task until the end
 * of its standard input.
 */
#ifndef SERVER_H
#define SERVER_H

#include "options.h"

void serve(const options *o);

#endif
