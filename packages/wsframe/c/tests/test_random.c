/* Masking keys differ, also between threads and after fork(), and the source can be replaced.
 */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <stdlib.h>

#include "check.h"
#include "wsframe/wsframe.h"

#define KEYS 2000 /* several batches */

typedef struct key_list {
    uint8_t keys[KEYS][4];
} key_list;

static key_list here, there;

static void fill(key_list *list) {
    for (int i = 0; i < KEYS; i++) {
        CHECK_EQ(wsf_mask_key(list->keys[i]), WSF_OK);
    }
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, 4);
}

/* Keys that occur in both lists: almost none by chance. */
static int in_common(const key_list *a, const key_list *b) {
    static key_list sorted;
    sorted = *b;
    qsort(sorted.keys, KEYS, 4, compare);
    int count = 0;
    for (int i = 0; i < KEYS; i++) {
        count += bsearch(a->keys[i], sorted.keys, KEYS, 4, compare) != NULL;
    }
    return count;
}

static void test_different(void) {
    fill(&here);
    qsort(here.keys, KEYS, 4, compare);
    int same = 0, ones = 0;
    for (int i = 1; i < KEYS; i++) {
        same += memcmp(here.keys[i - 1], here.keys[i], 4) == 0;
        for (int bit = 0; bit < 32; bit++) {
            ones += here.keys[i][bit / 8] >> (bit % 8) & 1;
        }
    }
    CHECK(same <= 2);
    CHECK(ones > 31000 && ones < 33000); /* 31984 expected, deviation 126 */
}

static int counting_source(void *context, uint8_t *out, size_t size) {
    uint8_t *next = context;
    for (size_t i = 0; i < size; i++) {
        out[i] = (*next)++;
    }
    return 0;
}

static int failing_source(void *context, uint8_t *out, size_t size) {
    (void)context;
    memset(out, 0xFF, size);
    return -1;
}

static void test_own_source(void) {
    uint8_t next = 1, key[4];
    wsf_set_random_source(counting_source, &next);
    CHECK_EQ(wsf_mask_key(key), WSF_OK);
    CHECK(memcmp(key, "\x01\x02\x03\x04", 4) == 0);
    CHECK_EQ(wsf_mask_key(key), WSF_OK);
    CHECK(memcmp(key, "\x05\x06\x07\x08", 4) == 0);
    wsf_set_random_source(failing_source, NULL);
    CHECK_EQ(wsf_mask_key(key), WSF_ERR_RANDOM);
    CHECK(memcmp(key, "\0\0\0\0", 4) == 0);
    wsf_set_random_source(NULL, NULL);
    fill(&here);
    fill(&there);
    CHECK(in_common(&here, &there) <= 2);
}

#if defined(_WIN32)
static void test_thread(void) {
}

static void test_fork(void) {
}
#else
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void *fill_there(void *unused) {
    fill(&there);
    return unused;
}

static void test_thread(void) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, fill_there, NULL), 0);
    fill(&here);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(in_common(&here, &there) <= 2);
}

static void test_fork(void) {
    int ends[2];
    uint8_t key[4];
    CHECK_EQ(pipe(ends), 0);
    wsf_mask_key(key); /* this starts a batch: the child inherits the rest of it */
    pid_t child = fork();
    if (child == 0) {
        fill(&there);
        _exit(write(ends[1], &there, sizeof there) != (ssize_t)sizeof there);
    }
    CHECK(child > 0);
    close(ends[1]);
    size_t got = 0;
    ssize_t n;
    while (got < sizeof there &&
           (n = read(ends[0], (uint8_t *)&there + got, sizeof there - got)) > 0) {
        got += (size_t)n;
    }
    CHECK_EQ(got, sizeof there);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
    close(ends[0]);
    fill(&here);
    CHECK(in_common(&here, &there) <= 2);
}
#endif

int main(void) {
    test_different();
    test_own_source();
    test_thread();
    test_fork();
    return check_result();
}
