/*
 * The message that is sent over and over: one by one, or many of them in one write.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdint.h>

#include "options.h"
#include "peer.h"

/* Make the message that the options ask for. */
void message_prepare(const options *o);

/* Collect one message of a peer. */
void message_send(peer *p);

/* Write many messages, as long as nothing waits: a handler for `writable`. */
void message_flood(peer *p);

/* How many messages message_flood() has written; from now on counted from 0. */
uint64_t message_take_count(void);

#endif
