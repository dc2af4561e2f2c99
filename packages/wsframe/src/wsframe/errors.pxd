# A helper for the extension modules: convert an error of libwsframe to an exception.

from wsframe cimport cwsframe as c


cdef inline object frame_error(int error, object offset=None):
    """Return the exception for an error of libwsframe."""
    # Imported here, because a declaration file cannot have statements at module level.
    from wsframe.exceptions import make_error
    return make_error(
        c.wsf_error_text(error).decode("ascii"),
        c.wsf_error_close_code(error),
        c.wsf_error_name(error).decode("ascii"),
        offset,
    )
