/* The commands for a program, and its output. `bench/programs/dialogue.py` is the same for Python.
 *   PROGRAM version              -> the library it is built on: NAME VERSION
 *   PROGRAM serve KEY=VALUE...   -> PORT of loopback; it serves until the end of its input
 *   PROGRAM load KEY=VALUE...    one job after the other, read from its input:
 *     port=N connections=N in_flight=N seconds=S
 *                                -> ready            the connections are open
 *     go                         -> COUNT NANOSECONDS
 *     end                        -> closed           the connections are closed
 * COUNT is the number of received messages; of sent messages, if it only sends; or of connections,
 * if it opens and closes them. No code here runs for each message.
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
    uint64_t (*run)(void);             /* do a job for its time; return the count */
    void (*close)(void);               /* close the connections */
} program;

/* Run as the command line requests. Returns the exit status. */
int dialogue(int argc, char **argv, const program *p);

/* Print the port of the server. */
void dialogue_say_port(uint16_t port);

/* Nanoseconds of a monotonic clock. */
uint64_t dialogue_now(void);

#ifdef __cplusplus
}
#endif

#endif
