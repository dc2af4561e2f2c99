/* Boost.Beast as its documentation recommends it, in the place of the C reference: the same options
 * and tasks, in one thread. Its input and output: reference/dialogue.h.
 *
 *   beast serve task=echo|sink|source|broadcast [size=N] [tls=FILE]
 *   beast load  task=echo|sink|source|handshake [size=N] [tls=FILE]
 * It does not compress. Each message costs a separate system call, as Beast cannot send several at
 * once; the cases with many messages in flight show this.
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
