/* The options of the program: words of the form key=value, on the command line and in each job.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum task {
    TASK_ECHO,      /* server: echo each message; client: keep messages in flight */
    TASK_SINK,      /* only receive; a client starts it with one message */
    TASK_SOURCE,    /* send as much as possible; a server starts when it gets one message */
    TASK_BROADCAST, /* server: send each message to all; client: request this, and wait for all */
    TASK_HANDSHAKE, /* client: open a connection, close it, and so on */
    TASK_IDLE       /* client: open connections, exchange one message on each, keep them */
} task;

typedef struct options {
    enum task task;
    bool tls;
    bool deflate;           /* negotiate compression; `payload` is already compressed */
    char certificate[1024]; /* a file with the certificate and its key; servers only */
    char payload[1024];     /* a file with the payload of each message; zeros if there is none */
    uint32_t size;          /* of each message, in bytes */
    uint16_t port;
    uint32_t connections;
    uint32_t in_flight; /* messages in flight per connection */
    double seconds;
} options;

/* Process one word. Ends the program if it is unknown. */
void options_take(options *o, const char *word);

/* Process all words of a line, which is changed. */
void options_take_line(options *o, char *line);

#ifdef __cplusplus
}
#endif

#endif
