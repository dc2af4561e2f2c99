/*
 * How a program is told what to do, and says what it did. `bench/programs/dialogue.py` is the same
 * for Python.
 *
 *   PROGRAM version              -> what it is built on: NAME VERSION
 *   PROGRAM serve KEY=VALUE...   -> PORT of loopback; it serves until the end of its input
 *   PROGRAM load KEY=VALUE...    one job after the other, as its input says:
 *     port=N connections=N in_flight=N seconds=S
 *                                -> ready            the connections are open
 *     go                         -> COUNT NANOSECONDS
 *     end                        -> closed           the connections are closed
 *
 * What is counted: messages received; messages sent, when it sends only; connections, when it
 * opens and closes them. Nothing here runs while messages do.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <stdint.h>

#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct program {
    const char *version;
    void (*serve)(const options *o);   /* returns at the end of standard input */
    void (*prepare)(const options *o); /* once, before the first job */
    void (*open)(const options *o);    /* open the connections of a job */
    uint64_t (*run)(void);             /* do a job for its time; return what is counted */
    void (*close)(void);               /* close the connections */
} program;

/* Be what the command line says. Returns the exit status. */
int dialogue(int argc, char **argv, const program *p);

/* Say which port is served. */
void dialogue_say_port(uint16_t port);

/* Nanoseconds of a clock that only goes forward. */
uint64_t dialogue_now(void);

#ifdef __cplusplus
}
#endif

#endif
