"""The enumeration of close codes, against the C library's judgement."""

from wsframe import CloseCode, close_code_is_valid

NEVER_SENT = {CloseCode.NO_STATUS, CloseCode.ABNORMAL, CloseCode.TLS_HANDSHAKE}


def test_all_but_three_may_be_sent() -> None:
    assert {code for code in CloseCode if not close_code_is_valid(code)} == NEVER_SENT


def test_every_registered_code_has_a_name() -> None:
    valid = {code for code in range(1000, 3000) if close_code_is_valid(code)}
    assert valid == set(CloseCode) - NEVER_SENT
