/* Parser tests as a table: bytes on the wire, then the expected result of the parser.
 */
#ifndef WSF_TEST_PARSER_CASES_H
#define WSF_TEST_PARSER_CASES_H

#include <stddef.h>

#include "wsframe/wsframe.h"

typedef struct parser_case {
    const char *name;
    const char *wire;         /* the notation of wire.h */
    const char *log;          /* one line for each frame, then possibly an error */
    wsf_parser_config config; /* the mode is set by the test, which runs both */
} parser_case;

extern const parser_case parser_cases[];
extern const size_t parser_case_count;

#endif
