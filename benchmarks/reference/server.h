/* The server: listens on a free loopback port, which it prints, and does its task until the end of
 * its standard input.
 */
#ifndef SERVER_H
#define SERVER_H

#include "options.h"

void serve(const options *o);

#endif
