/*
 * The load generator: a client, or many, that does one job after the other as its standard input
 * says, and says how many messages it took how long.
 *
 *   job      port=N connections=N in_flight=N seconds=S
 *            -> ready            the connections are open
 *   go       -> COUNT NANOSECONDS
 *   end      -> closed           the connections are closed
 *
 * What is counted: messages received; messages sent, when it sends only; connections, when it
 * opens and closes them.
 */
#ifndef LOAD_H
#define LOAD_H

#include "options.h"

int load(options *o);

#endif
