/* The table of errors: complete, and with the right close code for each error.
 */
#include "check.h"
#include "wsframe/wsframe.h"

static const struct {
    int error;
    const char *name;
    int close_code;
} expected[] = {
    {WSF_OK, "OK", 1000},
    {WSF_ERR_OPCODE, "OPCODE", 1002},
    {WSF_ERR_RESERVED_BITS, "RESERVED_BITS", 1002},
    {WSF_ERR_CONTROL_FRAGMENTED, "CONTROL_FRAGMENTED", 1002},
    {WSF_ERR_CONTROL_TOO_LONG, "CONTROL_TOO_LONG", 1002},
    {WSF_ERR_LENGTH_TOP_BIT, "LENGTH_TOP_BIT", 1002},
    {WSF_ERR_LENGTH_NOT_SHORTEST, "LENGTH_NOT_SHORTEST", 1002},
    {WSF_ERR_NOT_MASKED, "NOT_MASKED", 1002},
    {WSF_ERR_MASKED, "MASKED", 1002},
    {WSF_ERR_NO_MESSAGE, "NO_MESSAGE", 1002},
    {WSF_ERR_INSIDE_MESSAGE, "INSIDE_MESSAGE", 1002},
    {WSF_ERR_CLOSE_SIZE, "CLOSE_SIZE", 1002},
    {WSF_ERR_CLOSE_CODE, "CLOSE_CODE", 1002},
    {WSF_ERR_UTF8, "UTF8", 1007},
    {WSF_ERR_CLOSE_UTF8, "CLOSE_UTF8", 1007},
    {WSF_ERR_FRAME_TOO_BIG, "FRAME_TOO_BIG", 1009},
    {WSF_ERR_MESSAGE_TOO_BIG, "MESSAGE_TOO_BIG", 1009},
    {WSF_ERR_TOO_MANY_FRAGMENTS, "TOO_MANY_FRAGMENTS", 1009},
    {WSF_ERR_AFTER_CLOSE, "AFTER_CLOSE", 1002},
    {WSF_ERR_ARGUMENT, "ARGUMENT", 1011},
    {WSF_ERR_UNSUPPORTED, "UNSUPPORTED", 1011},
    {WSF_ERR_RANDOM, "RANDOM", 1011},
};

int main(void) {
    int count = (int)(sizeof expected / sizeof expected[0]);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(expected[i].error, -i);
        CHECK_STR(wsf_error_name(expected[i].error), expected[i].name);
        CHECK_EQ(wsf_error_close_code(expected[i].error), expected[i].close_code);
        size_t size = strlen(wsf_error_text(expected[i].error));
        CHECK(size > 0 && size <= WSF_MAX_CLOSE_REASON_SIZE);
    }
    const int others[] = {1, -count, 2147483647, -2147483647 - 1};
    for (int i = 0; i < 4; i++) {
        CHECK_STR(wsf_error_name(others[i]), "UNKNOWN");
        CHECK_STR(wsf_error_text(others[i]), "unknown error");
        CHECK_EQ(wsf_error_close_code(others[i]), 1011);
    }
    return check_result();
}
