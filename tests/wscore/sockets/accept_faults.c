/* Preloaded before the C library: the next calls of accept4 fail, with the errors that a test
   chooses.

   An error that is a connection's own takes the connection with it, as in Linux; one that forbids
   to accept leaves it waiting. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ERRORS = 1000 };

int faults_errors[MAX_ERRORS];
int faults_count; /* how many of them there are */
int faults_take;  /* whether they take a connection */
int faults_calls; /* how often accept4 was called */

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    static int next;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    ++faults_calls;
    if (next >= faults_count || faults_take) {
        int accepted = real(fd, address, size, flags);
        if (accepted < 0 || next >= faults_count)
            return accepted;
        close(accepted);
    }
    errno = faults_errors[next++];
    return -1;
}
