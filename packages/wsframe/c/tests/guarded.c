/*
 * Memory between protected pages. Contract: guarded.h.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#endif

#include "guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>

static uint8_t *map_between(size_t usable, size_t page) {
    DWORD old;
    uint8_t *all = VirtualAlloc(NULL, usable + 2 * page, MEM_COMMIT | MEM_RESERVE, PAGE_NOACCESS);
    if (!all || !VirtualProtect(all + page, usable, PAGE_READWRITE, &old)) {
        return NULL;
    }
    return all + page;
}

static size_t page_size(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}
#else
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *map_between(size_t usable, size_t page) {
    uint8_t *all = mmap(NULL, usable + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, usable, PROT_READ | PROT_WRITE) != 0) {
        return NULL;
    }
    return all + page;
}

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}
#endif

guarded guarded_new(size_t size) {
    size_t page = page_size();
    size_t usable = (size / page + 1) * page;
    guarded g;
    g.start = map_between(usable, page);
    if (!g.start) {
        perror("no guarded memory");
        abort();
    }
    g.end = g.start + usable;
    return g;
}

uint8_t *guarded_copy(const guarded *g, const void *data, size_t size) {
    uint8_t *copy = g->end - size;
    if (size != 0) {
        memcpy(copy, data, size);
    }
    return copy;
}
