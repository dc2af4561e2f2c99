"""The token of HTTP, character by character."""

import re
import string

from wscore.handshake.token import CHARACTER, TOKEN

# RFC 9110, 5.6.2, in the order in which it lists them.
TCHAR = set("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters)


def test_characters() -> None:
    accepted = {chr(code) for code in range(0x250) if re.fullmatch(CHARACTER, chr(code))}
    assert accepted == TCHAR


def test_tokens() -> None:
    assert TOKEN.fullmatch("".join(sorted(TCHAR)))
    for text in ("", "a b", "a,b", '"a"', "a/b", "\xe9", "\u0660", "a\n"):
        assert not TOKEN.fullmatch(text)
