// The headers are clean C++ and their functions have C linkage.
#include <wsframe/wsframe.h>

#include <cstring>

int main() {
    wsf_header header = {};
    header.payload_size = 2;
    header.opcode = WSF_OP_BINARY;
    header.fin = 1;
    unsigned char frame[WSF_MAX_HEADER_SIZE + 2];
    const unsigned char payload[2] = {1, 2};
    std::size_t size = wsf_frame_encode(frame, &header, payload);

    wsf_parser_config config = {};
    wsf_parser parser;
    if (wsf_parser_init(&parser, &config) != WSF_OK) {
        return 1;
    }
    wsf_frame received;
    std::size_t consumed = 0;
    if (wsf_parser_next(&parser, frame, size, &consumed, &received) != WSF_FRAME) {
        return 1;
    }
    return std::memcmp(received.payload, payload, 2) != 0;
}
