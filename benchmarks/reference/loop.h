/* The event loop: epoll, level-triggered, with as few system calls as possible.
 *
 * It does not own peers: the caller that watches one frees it, when loop_step() reports its end.
 */
#ifndef LOOP_H
#define LOOP_H

#include "peer.h"

void loop_start(void);

/* Watch a peer from now on, until its socket is closed. */
void loop_add(peer *p);

/* Watch a descriptor that does not belong to a peer, for reading. */
void loop_watch(int fd, void (*ready)(void));

/* Update the events that a peer waits for, after a write outside of loop_step(). */
void loop_update(peer *p);

/* Wait, at most some milliseconds (-1: no limit), and handle the ready descriptors. `ended` is
 * called for each peer that has ended. */
void loop_step(int milliseconds, void (*ended)(peer *p));

#endif
