/* Library and headers are from the same build.
 */
#include "check.h"
#include "wsframe/wsframe.h"

int main(void) {
    CHECK_EQ(wsf_abi_version(), WSF_ABI_VERSION);
    CHECK_STR(wsf_version_string(), WSF_VERSION);
    return check_result();
}
