"""The exceptions of wsframe, one class for each close code that answers a fault.

They carry what libwsframe reports and decide nothing: names, texts and close codes come from its
one table of errors.
"""

__all__ = ["FrameError", "InternalError", "InvalidDataError", "ProtocolError", "TooBigError"]


class FrameError(Exception):
    """A fault in what was received, or in what was to be sent.

    Attributes:
        close_code: the code to close the connection with (RFC 6455, section 7.4.1).
        name: a stable name of the fault, such as ``"LENGTH_TOP_BIT"``.
        offset: how many bytes of the stream come before the fault, or `None` where there is no
            stream.
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
    """The rules of the protocol were broken: close code 1002."""


class InvalidDataError(FrameError):
    """Text or a close reason is not UTF-8: close code 1007."""


class TooBigError(FrameError):
    """A frame, a message or a number of fragments is over its limit: close code 1009."""


class InternalError(FrameError):
    """Our own side could not do what was asked, such as find random bytes: close code 1011."""


_BY_CLOSE_CODE = {1002: ProtocolError, 1007: InvalidDataError, 1009: TooBigError}


def make_error(text: str, close_code: int, name: str, offset: int | None = None) -> FrameError:
    """Make the exception for a fault that libwsframe reported.

    Args:
        text: what is wrong, for people.
        close_code: the code that answers it; it selects the class.
        name: the name of the fault.
        offset: where in the stream it is, in bytes, if anywhere.

    Returns:
        The exception, to be raised.
    """
    return _BY_CLOSE_CODE.get(close_code, InternalError)(text, close_code, name, offset)
