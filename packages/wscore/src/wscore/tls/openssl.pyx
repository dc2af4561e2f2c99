"""The OpenSSL that this process's `ssl` module uses: its functions, its objects, a BIO of our own.

For a small message, `ssl` costs more per record than OpenSSL itself does, so connections made by
`ssl` call OpenSSL directly (see `openssl_session`). Nothing here depends on the layout of Python's
objects. The functions are documented ones of OpenSSL, looked up in the library that the compiled
part of `ssl` is linked with. The pointer to an SSL object comes from OpenSSL, too: a callback that
is registered by `CRYPTO_get_ex_new_index` gets each object that is made. So an object made by
another copy of OpenSSL is never seen; and one that is seen is used only after bytes that Python
wrote to its MemoryBIO were found through it.

If anything of this fails, all connections use `ssl`. This module must never guess, and never call
OpenSSL with an object that the same OpenSSL has not reported.
"""

import os
import ssl
import sys

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

cdef extern from "<dlfcn.h>":
    void *dlopen(const char *path, int flags)
    void *dlsym(void *library, const char *name)
    int RTLD_NOW
    int RTLD_NOLOAD

cdef extern from *:
    """
    /* The objects made in this thread while `is_catching`. */
    static _Thread_local int wscore_is_catching;
    static _Thread_local void *wscore_caught;
    static _Thread_local int wscore_caught_count;
    """
    bint is_catching "wscore_is_catching"
    void *caught "wscore_caught"
    int caught_count "wscore_caught_count"

__all__ = ["is_reachable"]

cdef enum:  # from OpenSSL's headers, the same in all versions
    CRYPTO_EX_INDEX_SSL = 0
    BIO_TYPE_SOURCE_SINK = 0x0400
    BIO_CTRL_FLUSH = 11
    BIO_FLAGS_READ = 0x01
    BIO_FLAGS_WRITE = 0x02
    BIO_FLAGS_IO_SPECIAL = 0x04
    BIO_FLAGS_SHOULD_RETRY = 0x08
    BIO_FLAGS_RETRY = 0x0F  # all of these

cdef enum State:
    NOT_TRIED
    REACHABLE
    UNREACHABLE

cdef State state = NOT_TRIED
cdef BIO_METHOD *method


def is_reachable():
    """Return whether connections over TLS may call OpenSSL directly.

    They do not if the environment variable ``WSCORE_TLS`` was ``ssl`` at the first call, nor if
    Python's `ssl` is not linked with a shared OpenSSL.
    """
    global state
    if state == NOT_TRIED:
        state = UNREACHABLE
        if os.environ.get("WSCORE_TLS") != "ssl" and _find_functions() and _prepare():
            state = REACHABLE
    return state == REACHABLE


cdef object wrap(object context, object incoming, object outgoing, bint server_side,
                 object server_hostname, SSL **ssl_pointer):
    """Let a context make an `ssl.SSLObject`, and find OpenSSL's object of it.

    Args:
        context: an `ssl.SSLContext`.
        incoming: an empty `ssl.MemoryBIO`, like `outgoing`.
        ssl_pointer: gets the pointer; NULL if it is not known for sure.

    Returns:
        The result of `ssl.SSLContext.wrap_bio`, which keeps OpenSSL's object alive.
    """
    global is_catching, caught, caught_count
    cdef bint is_wanted = is_reachable() and not is_catching
    ssl_pointer[0] = NULL
    if is_wanted:
        caught = NULL
        caught_count = 0
        is_catching = True
    try:
        made = context.wrap_bio(
            incoming, outgoing, server_side=server_side, server_hostname=server_hostname
        )
    finally:
        if is_wanted:
            is_catching = False
    if is_wanted and caught_count == 1 and caught != NULL and type(made) is ssl.SSLObject:
        if _is_between(<SSL *>caught, incoming, outgoing):
            ssl_pointer[0] = <SSL *>caught
    return made


cdef bint _is_between(SSL *made, object incoming, object outgoing) except -1:
    """Return whether the SSL object reads from and writes to these two MemoryBIOs."""
    return _is_inside(openssl.get_rbio(made), incoming) and _is_inside(
        openssl.get_wbio(made), outgoing
    )


cdef bint _is_inside(BIO *bio, object memory) except -1:
    cdef size_t seen
    if bio == NULL or openssl.bio_ctrl_pending(bio) != 0:
        return False
    memory.write(b"?")
    seen = openssl.bio_ctrl_pending(bio)
    memory.read()
    return seen == 1 and openssl.bio_ctrl_pending(bio) == 0


# -- finding it


cdef bint _find_functions() except -1:
    """Look the functions up in the library that the compiled part of `ssl` is linked with."""
    cdef void *library
    module = sys.modules[ssl.MemoryBIO.__module__]
    if not ssl.OPENSSL_VERSION.startswith("OpenSSL ") or not hasattr(module, "__file__"):
        return False  # one of OpenSSL's descendants, or linked into the interpreter
    library = dlopen(os.fsencode(module.__file__), RTLD_NOW | RTLD_NOLOAD)
    if library == NULL:
        return False
    return (
        _find(library, "SSL_read_ex", <void **>&openssl.read_ex)
        and _find(library, "SSL_write_ex", <void **>&openssl.write_ex)
        and _find(library, "SSL_pending", <void **>&openssl.pending)
        and _find(library, "SSL_get_error", <void **>&openssl.get_error)
        and _find(library, "SSL_get_rbio", <void **>&openssl.get_rbio)
        and _find(library, "SSL_get_wbio", <void **>&openssl.get_wbio)
        and _find(library, "SSL_set_bio", <void **>&openssl.set_bio)
        and _find(library, "ERR_peek_error", <void **>&openssl.err_peek_error)
        and _find(library, "ERR_clear_error", <void **>&openssl.err_clear_error)
        and _find(library, "CRYPTO_get_ex_new_index", <void **>&openssl.crypto_get_ex_new_index)
        and _find(library, "BIO_new", <void **>&openssl.bio_new)
        and _find(library, "BIO_free", <void **>&openssl.bio_free)
        and _find(library, "BIO_up_ref", <void **>&openssl.bio_up_ref)
        and _find(library, "BIO_ctrl_pending", <void **>&openssl.bio_ctrl_pending)
        and _find(library, "BIO_set_data", <void **>&openssl.bio_set_data)
        and _find(library, "BIO_get_data", <void **>&openssl.bio_get_data)
        and _find(library, "BIO_set_init", <void **>&openssl.bio_set_init)
        and _find(library, "BIO_set_flags", <void **>&openssl.bio_set_flags)
        and _find(library, "BIO_clear_flags", <void **>&openssl.bio_clear_flags)
        and _find(library, "BIO_get_new_index", <void **>&openssl.bio_get_new_index)
        and _find(library, "BIO_meth_new", <void **>&openssl.bio_meth_new)
        and _find(library, "BIO_meth_set_read", <void **>&openssl.bio_meth_set_read)
        and _find(library, "BIO_meth_set_write", <void **>&openssl.bio_meth_set_write)
        and _find(library, "BIO_meth_set_ctrl", <void **>&openssl.bio_meth_set_ctrl)
        and _find(library, "BIO_meth_set_destroy", <void **>&openssl.bio_meth_set_destroy)
    )


cdef bint _find(void *library, const char *name, void **place) noexcept:
    place[0] = dlsym(library, name)
    return place[0] != NULL


cdef bint _prepare() except -1:
    """Register the callbacks for new SSL objects, and make the BIO's method."""
    global method
    cdef int kind = openssl.bio_get_new_index()
    if kind == -1:
        return False
    method = openssl.bio_meth_new(kind | BIO_TYPE_SOURCE_SINK, b"wscore")
    return (
        method != NULL
        and openssl.bio_meth_set_read(method, _read)
        and openssl.bio_meth_set_write(method, _write)
        and openssl.bio_meth_set_ctrl(method, _control)
        and openssl.bio_meth_set_destroy(method, _destroy)
        and openssl.crypto_get_ex_new_index(
            CRYPTO_EX_INDEX_SSL, 0, NULL, <void *>_made, NULL, <void *>_freed
        ) != -1
    )


# OpenSSL calls these two for every SSL object of the process, in any thread.

cdef void _made(void *parent, void *item, void *data, int index, long number,
                void *pointer) noexcept nogil:
    global caught, caught_count
    if is_catching:
        caught = parent
        caught_count += 1


cdef void _freed(void *parent, void *item, void *data, int index, long number,
                 void *pointer) noexcept nogil:
    global caught
    if is_catching and parent == caught:
        caught = NULL


# -- the BIO

# `ssl` calls OpenSSL without the interpreter's lock, so nothing below may touch a Python object.


cdef BIO *new_wire(Wire **wire) except NULL:
    """Make a BIO with a wire; the caller owns a reference, and may use the wire as long."""
    cdef BIO *bio = openssl.bio_new(method)
    wire[0] = <Wire *>calloc(1, sizeof(Wire))
    if bio == NULL or wire[0] == NULL:
        free(wire[0])
        openssl.bio_free(bio)
        raise MemoryError("a BIO")
    wire[0].reads = ANY_READS
    openssl.bio_set_data(bio, wire[0])
    openssl.bio_set_init(bio, 1)
    return bio


cdef int _read(BIO *bio, char *data, int size) noexcept nogil:
    cdef Wire *wire = <Wire *>openssl.bio_get_data(bio)
    cdef size_t part = min(<size_t>size, wire.received_size)
    openssl.bio_clear_flags(bio, BIO_FLAGS_RETRY)
    if part == 0 or wire.reads == 0:
        openssl.bio_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        return -1
    wire.reads -= 1
    memcpy(data, wire.received, part)
    wire.received += part
    wire.received_size -= part
    return part


cdef int _write(BIO *bio, const char *data, int size) noexcept nogil:
    cdef Wire *wire = <Wire *>openssl.bio_get_data(bio)
    openssl.bio_clear_flags(bio, BIO_FLAGS_RETRY)
    if wire.extra_size == 0 and wire.size + size <= wire.room:
        memcpy(wire.place + wire.size, data, size)
        wire.size += size
        return size
    return size if _write_extra(wire, data, size) else -1


cdef bint _write_extra(Wire *wire, const char *data, size_t size) noexcept nogil:
    """Keep output of TLS's own; return whether there was memory for it."""
    cdef size_t needed = wire.extra_size + size
    cdef void *memory
    if needed > wire.extra_room:
        memory = realloc(wire.extra, 2 * needed)
        if memory == NULL:
            return False
        wire.extra = <uint8_t *>memory
        wire.extra_room = 2 * needed
    memcpy(wire.extra + wire.extra_size, data, size)
    wire.extra_size = needed
    return True


cdef long _control(BIO *bio, int command, long number, void *pointer) noexcept nogil:
    return command == BIO_CTRL_FLUSH  # no other command is supported


cdef int _destroy(BIO *bio) noexcept nogil:
    cdef Wire *wire = <Wire *>openssl.bio_get_data(bio)
    if wire != NULL:
        free(wire.extra)
        free(wire)
        openssl.bio_set_data(bio, NULL)
    return 1
