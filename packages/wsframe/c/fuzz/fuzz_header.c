/* Header decoder: the encoder must reproduce every accepted header byte for byte.
 */
#include "input.h"
#include "wsframe/wsframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = exact_copy(data, size);
    wsf_header header;
    int result = wsf_header_decode(&header, bytes, size);
    REQUIRE(result <= (int)size || result <= 0);
    if (result > 0) {
        uint8_t again[WSF_MAX_HEADER_SIZE];
        size_t header_size = (size_t)result;
        REQUIRE(wsf_header_size(header.payload_size, header.masked) == header_size);
        REQUIRE(wsf_header_encode(again, &header) == header_size);
        REQUIRE(memcmp(again, data, header_size) == 0);
        for (size_t cut = 0; cut < header_size; cut++) {
            REQUIRE(wsf_header_decode(&header, data, cut) == 0);
        }
    } else if (result == 0) {
        REQUIRE(size < WSF_MAX_HEADER_SIZE);
    } else {
        REQUIRE(wsf_error_close_code(result) == WSF_CLOSE_PROTOCOL_ERROR);
    }
    wsf_close close;
    if (wsf_close_decode(&close, bytes, size) == WSF_OK) {
        uint8_t again[WSF_MAX_CONTROL_SIZE];
        int written = wsf_close_encode(again, close.code, close.reason, close.reason_size);
        REQUIRE(written == (int)size && memcmp(again, data, size) == 0);
    }
    free_copy(bytes, size);
    return 0;
}
