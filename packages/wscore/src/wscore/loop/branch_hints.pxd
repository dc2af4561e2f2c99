# Branch hints for the path that every message takes.
#
# Between two messages the kernel evicts our code from the L1 cache, so a message costs fewer cycles
# for instructions than for cache lines of code that are fetched again. With the hints the compiler
# moves rarely executed code out of the lines that every message needs.

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define wscore_unlikely(condition) __builtin_expect(!!(condition), 0)
    #else
    #define wscore_unlikely(condition) (condition)
    #endif
    """
    bint unlikely "wscore_unlikely"(bint condition) noexcept nogil
