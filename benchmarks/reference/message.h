/* The message that is sent repeatedly: one by one, or many of them in one write.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdint.h>

#include "options.h"
#include "peer.h"

/* Create the message that the options request. */
void message_prepare(const options *o);

/* Append one message to a peer's output. */
void message_send(peer *p);

/* Write many messages, as long as nothing waits: a handler for `writable`. */
void message_flood(peer *p);

/* Return the number of messages written by message_flood(), and reset it to 0. */
uint64_t message_take_count(void);

#endif
