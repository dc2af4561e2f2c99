"""The negotiation of extensions: the offer, the choice among it, and their order.

The factories of an extension interpret its parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..datastructures import Headers
from ..exceptions import NegotiationError
from ..headers import build_extension, parse_extension
from ..typing import ExtensionHeader
from .base import ClientExtensionFactory, Extension, ServerExtensionFactory

__all__ = ["accept_offers", "build_offer", "parse_field", "take_answer"]

_FIELD = "Sec-WebSocket-Extensions"


def build_offer(factories: Sequence[ClientExtensionFactory]) -> str:
    """Build the value of the request's ``Sec-WebSocket-Extensions``.

    Args:
        factories: those of the client, the preferred one first.
    """
    return build_extension(
        [(factory.name, list(factory.get_request_params())) for factory in factories]
    )


def take_answer(
    factories: Sequence[ClientExtensionFactory] | None, headers: Headers
) -> list[Extension]:
    """Return the extensions that a server accepted, each from the first factory that takes it.

    Args:
        factories: those of the client; None if nothing was offered.
        headers: those of the response.

    Raises:
        InvalidHeaderFormat: if the answer is malformed.
        NegotiationError: if one was not offered, or no factory takes its parameters.
    """
    if factories is None and _FIELD in headers:
        raise NegotiationError("no extensions supported")
    accepted: list[Extension] = []
    for name, params in parse_field(headers):
        for factory in factories or ():
            if factory.name != name:
                continue
            try:
                extension = factory.process_response_params(params, accepted)
            except NegotiationError:
                continue
            accepted.append(extension)
            break
        else:
            raise NegotiationError(f"Unsupported extension: name = {name}, params = {params}")
    return accepted


def accept_offers(
    factories: Sequence[ServerExtensionFactory] | None, headers: Headers
) -> tuple[str | None, list[Extension]]:
    """Choose among the client's offers, in their order.

    Args:
        factories: those of the server, the preferred one first; None for none.
        headers: those of the request.

    Returns:
        The value of the response's ``Sec-WebSocket-Extensions``, None to leave it out, and the
        extensions.

    Raises:
        InvalidHeaderFormat: if the offer is malformed.
    """
    answers: list[ExtensionHeader] = []
    accepted: list[Extension] = []
    for name, params in parse_field(headers) if factories else ():
        for factory in factories or ():
            if factory.name != name:
                continue
            try:
                answer, extension = factory.process_request_params(params, accepted)
            except NegotiationError:
                continue
            answers.append((name, answer))
            accepted.append(extension)
            break
    return build_extension(answers) if answers else None, accepted


def parse_field(headers: Headers) -> list[ExtensionHeader]:
    """Parse all ``Sec-WebSocket-Extensions`` fields.

    Args:
        headers: those of the request or the response.

    Raises:
        InvalidHeaderFormat: if it is malformed.
    """
    return [item for field in headers.get_all(_FIELD) for item in parse_extension(field)]
