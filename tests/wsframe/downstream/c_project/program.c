/*
 * Makes a frame and reads it back.
 */
#include <stdio.h>
#include <wsframe/wsframe.h>

int main(void) {
    wsf_header header = {.payload_size = 5, .opcode = WSF_OP_TEXT, .fin = 1, .masked = 1};
    uint8_t wire[WSF_MAX_HEADER_SIZE + 5];
    if (wsf_mask_key(header.mask_key) != WSF_OK) {
        return 1;
    }
    size_t size = wsf_frame_encode(wire, &header, (const uint8_t *)"Hello");

    wsf_parser_config config = {.role = WSF_ROLE_SERVER, .check_utf8 = 1};
    wsf_parser parser;
    wsf_parser_init(&parser, &config);
    wsf_frame frame;
    size_t consumed;
    if (wsf_parser_next(&parser, wire, size, &consumed, &frame) != WSF_FRAME) {
        return 1;
    }
    printf("%.*s %s\n", (int)frame.payload_size, (const char *)frame.payload, wsf_version_string());
    return wsf_abi_version() != WSF_ABI_VERSION;
}
