/*
 * What the program is told: words of the form key=value, on its command line and in each job.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum task {
    TASK_ECHO,      /* server: answer each message with itself; client: keep messages in flight */
    TASK_SINK,      /* take what comes; a client says when to begin, with one message */
    TASK_SOURCE,    /* send as many messages as can be; a server begins when it got one message */
    TASK_BROADCAST, /* server: send each message to all; client: cause that, and wait for all */
    TASK_HANDSHAKE, /* client: open a connection, close it, and so on */
    TASK_IDLE       /* client: open connections, exchange one message on each, keep them */
} task;

typedef struct options {
    enum task task;
    bool tls;
    bool deflate;           /* agree on compression; `payload` is compressed already */
    char certificate[1024]; /* a file with the certificate and its key; servers only */
    char payload[1024];     /* a file with the payload of each message; zeros if there is none */
    uint32_t size;          /* of each message, in bytes */
    uint16_t port;
    uint32_t connections;
    uint32_t in_flight; /* messages on their way, per connection */
    double seconds;
} options;

/* Take one word. Ends the program if it is not understood. */
void options_take(options *o, const char *word);

/* Take all words of a line, which is changed. */
void options_take_line(options *o, char *line);

#ifdef __cplusplus
}
#endif

#endif
