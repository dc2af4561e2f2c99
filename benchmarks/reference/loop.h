/*
 * The event loop: epoll, level-triggered, with as few calls as it takes.
 *
 * It owns no peer: who watches one frees it, when loop_step() says that it has ended.
 */
#ifndef LOOP_H
#define LOOP_H

#include "peer.h"

void loop_start(void);

/* Watch a peer from now on. Closing its socket ends that. */
void loop_add(peer *p);

/* Watch a descriptor that is no peer's, for reading. */
void loop_watch(int fd, void (*ready)(void));

/* Ask for what a peer waits for now, after it was written to outside of loop_step(). */
void loop_update(peer *p);

/* Wait, at most some milliseconds (-1: without end), and handle what is ready. `ended` is told of
 * each peer that has ended. */
void loop_step(int milliseconds, void (*ended)(peer *p));

#endif
