# One helper for the extension modules: an error of libwsframe as an exception to raise.

from wsframe cimport cwsframe as c


cdef inline object frame_error(int error, object offset=None):
    """The exception for an error of libwsframe."""
    # Imported here: a declaration file runs no statements of its own.
    from wsframe.exceptions import make_error
    return make_error(
        c.wsf_error_text(error).decode("ascii"),
        c.wsf_error_close_code(error),
        c.wsf_error_name(error).decode("ascii"),
        offset,
    )
