/*
 * Random bytes from the kernel, and detection of fork(). Contract: entropy.h.
 */
/* In strict C mode these libraries hide POSIX and their own extensions; others do not. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* glibc and musl, also for getrandom() */
#endif
#if !defined(_NETBSD_SOURCE)
#define _NETBSD_SOURCE /* also for arc4random_buf() */
#endif

#include "entropy.h"

#include "platform.h"

#if defined(_WIN32)

#include <windows.h>

#include <bcrypt.h>

bool wsf_entropy(uint8_t *out, size_t size) {
    return BCryptGenRandom(NULL, out, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

unsigned wsf_fork_generation(void) {
    return 1; /* there is no fork() */
}

#else

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>

/* Bytes written, or -1 with errno. */
static ssize_t ask_kernel(uint8_t *out, size_t size) {
    return getrandom(out, size, 0);
}
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
#include <stdlib.h>

static ssize_t ask_kernel(uint8_t *out, size_t size) {
    arc4random_buf(out, size);
    return (ssize_t)size;
}
#else
static ssize_t ask_kernel(uint8_t *out, size_t size) {
    (void)out;
    (void)size;
    errno = ENOSYS;
    return -1;
}
#endif

/* For kernels and sandboxes without getrandom(). */
static bool read_device(uint8_t *out, size_t size) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, out + got, size - got);
        if (n > 0) {
            got += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
    close(fd);
    return got == size;
}

bool wsf_entropy(uint8_t *out, size_t size) {
    int saved_errno = errno;
    size_t got = 0;
    while (got < size) {
        ssize_t n = ask_kernel(out + got, size - got);
        if (n > 0) {
            got += (size_t)n;
        } else if (errno != EINTR) {
            break;
        }
    }
    bool complete = got == size || read_device(out + got, size - got);
    errno = saved_errno;
    return complete;
}

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static WSF_ATOMIC(unsigned) generation;

static void in_child(void) {
    unsigned next = wsf_atomic_load(&generation) + 1;
    wsf_atomic_store(&generation, next ? next : 1);
}

static void watch_fork(void) {
    if (pthread_atfork(NULL, NULL, in_child) == 0) {
        wsf_atomic_store(&generation, 1);
    }
}

unsigned wsf_fork_generation(void) {
    unsigned current = wsf_atomic_load(&generation);
    if (!WSF_LIKELY(current)) {
        pthread_once(&watch_once, watch_fork);
        current = wsf_atomic_load(&generation);
    }
    return current;
}

#endif
