# The functions of the OpenSSL that this process's `ssl` uses, and a BIO of our own.

from libc.stdint cimport uint8_t


cdef extern from *:
    """
    /* Opaque types, with the names of OpenSSL's headers. */
    typedef struct ssl_st SSL;
    typedef struct bio_st BIO;
    typedef struct bio_method_st BIO_METHOD;
    """
    ctypedef struct SSL:
        pass
    ctypedef struct BIO:
        pass
    ctypedef struct BIO_METHOD:
        pass

cdef enum:
    SSL_ERROR_WANT_READ = 2


cdef struct Functions:  # by their names without `SSL_`, except for those of other kinds
    int (*read_ex)(SSL*, void*, size_t, size_t*) noexcept
    int (*write_ex)(SSL*, const void*, size_t, size_t*) noexcept
    int (*pending)(const SSL*) noexcept
    int (*get_error)(const SSL*, int) noexcept
    BIO* (*get_rbio)(const SSL*) noexcept
    BIO* (*get_wbio)(const SSL*) noexcept
    void (*set_bio)(SSL*, BIO*, BIO*) noexcept
    unsigned long (*err_peek_error)() noexcept
    void (*err_clear_error)() noexcept
    int (*crypto_get_ex_new_index)(int, long, void*, void*, void*, void*) noexcept
    BIO* (*bio_new)(const BIO_METHOD*) noexcept
    int (*bio_free)(BIO*) noexcept
    int (*bio_up_ref)(BIO*) noexcept
    size_t (*bio_ctrl_pending)(BIO*) noexcept
    void (*bio_set_data)(BIO*, void*) noexcept nogil
    void* (*bio_get_data)(BIO*) noexcept nogil
    void (*bio_set_init)(BIO*, int) noexcept
    void (*bio_set_flags)(BIO*, int) noexcept nogil
    void (*bio_clear_flags)(BIO*, int) noexcept nogil
    int (*bio_get_new_index)() noexcept
    BIO_METHOD* (*bio_meth_new)(int, const char*) noexcept
    int (*bio_meth_set_read)(BIO_METHOD*, int (*)(BIO*, char*, int) noexcept nogil) noexcept
    int (*bio_meth_set_write)(BIO_METHOD*, int (*)(BIO*, const char*, int) noexcept nogil) noexcept
    int (*bio_meth_set_ctrl)(BIO_METHOD*, long (*)(BIO*, int, long, void*) noexcept nogil) noexcept
    int (*bio_meth_set_destroy)(BIO_METHOD*, int (*)(BIO*) noexcept nogil) noexcept


cdef enum:
    ANY_READS = 0xFFFFFFFF

cdef struct Wire:  # the memory that TLS reads from and writes to; it belongs to a BIO
    const uint8_t *received  # ciphertext that TLS has not read yet
    size_t received_size
    unsigned int reads  # that TLS may still do, two for each record
    uint8_t *place  # where TLS may write, within `room`
    size_t room
    size_t size  # bytes written there
    uint8_t *extra  # memory of the wire's own, for output beyond that
    size_t extra_size
    size_t extra_room


cdef Functions openssl

cdef object wrap(object context, object incoming, object outgoing, bint server_side,
                 object server_hostname, SSL **ssl)
cdef BIO *new_wire(Wire **wire) except NULL
