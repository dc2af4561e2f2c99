/*
 * Boost.Beast as its documentation recommends it, in the place of the C reference: the same words,
 * the same tasks, in one thread. What it says and is told: reference/dialogue.h.
 *
 *   beast serve task=echo|sink|source|broadcast [size=N] [tls=FILE]
 *   beast load  task=echo|sink|source|handshake [size=N] [tls=FILE]
 *
 * It does not compress. Each message costs a system call of its own, as Beast has no means to send
 * several at once; that is what the cases with many messages on their way show.
 */
#include <boost/version.hpp>

#include "dialogue.h"
#include "load.hpp"
#include "server.hpp"

int main(int argc, char **argv) {
    const program beast = {
        "Boost " BOOST_LIB_VERSION, serve, load_prepare, load_open, load_run, load_close,
    };
    return dialogue(argc, argv, &beast);
}
