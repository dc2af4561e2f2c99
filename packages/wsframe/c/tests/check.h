/* Minimal unit test support: counted checks, and a result for main().
 *
 * A failed check is printed and counted; it does not stop the test.
 */
#ifndef WSF_TEST_CHECK_H
#define WSF_TEST_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_failures++;                                                                      \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(actual, expected)                                                                 \
    do {                                                                                           \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                \
        if (actual_ != expected_) {                                                                \
            check_failures++;                                                                      \
            printf("%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_,          \
                   expected_);                                                                     \
        }                                                                                          \
    } while (0)

#define CHECK_STR(actual, expected)                                                                \
    do {                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                   \
        if (strcmp(actual_, expected_) != 0) {                                                     \
            check_failures++;                                                                      \
            printf("%s:%d: %s is\n%s\nnot\n%s\n", __FILE__, __LINE__, #actual, actual_,            \
                   expected_);                                                                     \
        }                                                                                          \
    } while (0)

static inline int check_result(void) {
    if (check_failures) {
        printf("%d checks failed\n", check_failures);
    }
    return check_failures != 0;
}

#endif
