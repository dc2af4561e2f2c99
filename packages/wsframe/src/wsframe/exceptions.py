"""The exceptions of wsframe, one class for each close code that is sent for an error.

Their names, texts and close codes come from libwsframe's table of errors; nothing is decided here.
"""

__all__ = ["FrameError", "InternalError", "InvalidDataError", "ProtocolError", "TooBigError"]


class FrameError(Exception):
    """An error in received data, or in data to be sent.

    Attributes:
        close_code: the code to close the connection with (RFC 6455, section 7.4.1).
        name: a stable name of the error, such as ``"LENGTH_TOP_BIT"``.
        offset: the position of the error in the stream, in bytes, or `None` without a stream.
    """

    close_code: int
    name: str
    offset: int | None

    def __init__(self, text: str, close_code: int, name: str, offset: int | None = None) -> None:
        super().__init__(text, close_code, name, offset)
        self.close_code = close_code
        self.name = name
        self.offset = offset

    def __str__(self) -> str:
        text: str = self.args[0]
        return text if self.offset is None else f"{text} (at byte {self.offset} of the stream)"


class ProtocolError(FrameError):
    """A violation of the protocol: close code 1002."""


class InvalidDataError(FrameError):
    """Text or a close reason is not UTF-8: close code 1007."""


class TooBigError(FrameError):
    """A frame, a message or the number of fragments exceeds its limit: close code 1009."""


class InternalError(FrameError):
    """An operation failed on our endpoint, such as getting random bytes: close code 1011."""


_BY_CLOSE_CODE = {1002: ProtocolError, 1007: InvalidDataError, 1009: TooBigError}


def make_error(text: str, close_code: int, name: str, offset: int | None = None) -> FrameError:
    """Return the exception for an error that libwsframe reported.

    Args:
        text: a description of the error.
        close_code: its close code, which selects the class.
        name: the name of the error.
        offset: its position in the stream, in bytes, if there is a stream.

    Returns:
        The exception; it is not raised here.
    """
    return _BY_CLOSE_CODE.get(close_code, InternalError)(text, close_code, name, offset)
