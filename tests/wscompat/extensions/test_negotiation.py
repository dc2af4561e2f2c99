"""The agreement of both sides; the tests of each side compare it with websockets."""

import pytest

from tests.wscompat.extensions.custom import xor
from tests.wscompat.sansio import WSCOMPAT
from wscompat.datastructures import Headers
from wscompat.exceptions import InvalidHeaderFormat, NegotiationError
from wscompat.extensions.negotiation import accept_offers, build_offer, take_answer
from wscompat.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

FIELD = "Sec-WebSocket-Extensions"
CLIENT = [xor(WSCOMPAT).client_factory(), ClientPerMessageDeflateFactory()]
SERVER = [ServerPerMessageDeflateFactory(), xor(WSCOMPAT).server_factory()]


def test_offer() -> None:
    assert build_offer(CLIENT) == "x-xor; key=90, permessage-deflate; client_max_window_bits"
    assert build_offer([]) == ""


def test_the_order_is_the_client_s() -> None:
    answer, accepted = accept_offers(SERVER, Headers({FIELD: build_offer(CLIENT)}))
    assert answer == "x-xor; agreed, permessage-deflate"
    assert [extension.name for extension in accepted] == ["x-xor", "permessage-deflate"]
    taken = take_answer(CLIENT, Headers({FIELD: answer}))
    assert [extension.name for extension in taken] == ["x-xor", "permessage-deflate"]


def test_several_fields() -> None:
    headers = Headers([(FIELD, "unknown"), (FIELD, "x-xor; key=1, x-xor; key=90")])
    answer, accepted = accept_offers(SERVER, headers)
    assert answer == "x-xor; agreed"
    assert len(accepted) == 1


@pytest.mark.parametrize("factories", [None, []])
def test_no_factories(factories: list[ServerPerMessageDeflateFactory] | None) -> None:
    """The offers are not even parsed."""
    assert accept_offers(factories, Headers({FIELD: "(malformed"})) == (None, [])
    assert take_answer(None, Headers()) == []
    with pytest.raises(NegotiationError, match="no extensions supported"):
        take_answer(None, Headers({FIELD: "(malformed"}))
    with pytest.raises(NegotiationError, match=r"Unsupported extension: name = x, params = \[\]"):
        take_answer([], Headers({FIELD: "x"}))


def test_malformed() -> None:
    headers = Headers({FIELD: "x-xor;"})
    with pytest.raises(InvalidHeaderFormat):
        accept_offers(SERVER, headers)
    with pytest.raises(InvalidHeaderFormat):
        take_answer(CLIENT, headers)
