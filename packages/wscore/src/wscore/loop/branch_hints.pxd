# What the compiler is told of conditions, for the path that every message takes.
#
# Between two messages the kernel takes the processor's first cache for itself, so that what a
# message costs here is not so much instructions as lines of code to be fetched again. What is
# seldom executed must not lie between what always is.

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define wscore_unlikely(condition) __builtin_expect(!!(condition), 0)
    #else
    #define wscore_unlikely(condition) (condition)
    #endif
    """
    bint unlikely "wscore_unlikely"(bint condition) noexcept nogil
