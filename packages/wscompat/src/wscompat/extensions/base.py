"""Base classes of extensions: one that transforms frames, and one for each side's negotiation.

They only declare the methods to implement.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..frames import Frame
from ..typing import ExtensionName, ExtensionParameter

__all__ = ["ClientExtensionFactory", "Extension", "ServerExtensionFactory"]


class Extension:
    """An extension of one connection: it sees every frame, control frames too.

    Attributes:
        name: the registered name.
    """

    name: ExtensionName

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Undo on a received frame what `encode` of the other side did.

        Args:
            frame: the frame.
            max_size: bytes that the payload may have; None for no limit.

        Returns:
            The frame to go on with; reserved bits that are still set are an error.

        Raises:
            PayloadTooBig: if the payload is larger than `max_size`.
        """
        raise NotImplementedError

    def encode(self, frame: Frame) -> Frame:
        """Transform a frame that is to be sent.

        Args:
            frame: the frame.

        Returns:
            The frame to send.
        """
        raise NotImplementedError


class ClientExtensionFactory:
    """The client's part of the negotiation.

    Attributes:
        name: the registered name.
    """

    name: ExtensionName

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        """Return the parameters to offer."""
        raise NotImplementedError

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> Extension:
        """Accept the parameters of the server's response.

        Args:
            params: the server's parameters.
            accepted_extensions: those that precede it in the answer.

        Returns:
            The extension of this connection.

        Raises:
            NegotiationError: if the parameters are not acceptable.
        """
        raise NotImplementedError


class ServerExtensionFactory:
    """The server's part of the negotiation.

    Attributes:
        name: the registered name.
    """

    name: ExtensionName

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Extension]:
        """Accept or refuse the parameters of the client's offer.

        Args:
            params: the client's parameters.
            accepted_extensions: those that were accepted before it.

        Returns:
            The parameters to answer with, and the extension of this connection.

        Raises:
            NegotiationError: if the offer is not acceptable; the extension is then not used.
        """
        raise NotImplementedError
