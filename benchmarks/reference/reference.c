/* The limit that the libraries are measured against, and the peer of their connections: a WebSocket
 * server and a load generator on epoll, OpenSSL and libwsframe, in one thread.
 *
 *   reference serve task=echo|sink|source|broadcast [size=N] [tls=FILE] [deflate=1] [payload=FILE]
 *   reference load  task=echo|sink|source|broadcast|handshake|idle [size=N] [tls=1] ...
 * It serves only loopback, and trusts its peer. Its input and output: dialogue.h.
 */
#include <wsframe/version.h>

#include "dialogue.h"
#include "load.h"
#include "server.h"

int main(int argc, char **argv) {
    const program reference = {
        .version = "wsframe " WSF_VERSION,
        .serve = serve,
        .prepare = load_prepare,
        .open = load_open,
        .run = load_run,
        .close = load_close,
    };
    return dialogue(argc, argv, &reference);
}
