/*
 * Version of the compiled library.
 */
#include "wsframe/version.h"

unsigned wsf_abi_version(void) {
    return WSF_ABI_VERSION;
}

const char *wsf_version_string(void) {
    return WSF_VERSION;
}
