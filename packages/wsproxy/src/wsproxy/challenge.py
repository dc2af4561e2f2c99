"""Parse a proxy's challenges in `Proxy-Authenticate` (RFC 9110, section 11.6.1). No I/O.

Malformed text comes from the network: it must result in fewer challenges, never in an exception or
a long search.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Challenge", "parse_challenges"]

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SEPARATOR = re.compile(r"[\s,]*")
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?:,|$)', re.S)
_SCHEME = re.compile(rf"({_TOKEN})(?=[\s,]|$)")
# Some schemes use a token68 instead of parameters.
_TOKEN68 = re.compile(r"\s+[A-Za-z0-9._~+/-]+=*\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate.

    Attributes:
        scheme: in lower case, such as `basic` or `digest`.
        parameters: names in lower case.
    """

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Return the well-formed challenges in the values of `Proxy-Authenticate` headers."""
    return [challenge for value in values for challenge in _parse(value)]


def _parse(value: str) -> list[Challenge]:
    """Parse one value: schemes and parameters, both separated by commas."""
    challenges: list[Challenge] = []
    position = 0
    while True:
        position = _end(_SEPARATOR, value, position)
        parameter = _PARAMETER.match(value, position)
        if parameter is not None and challenges:
            name, quoted, token = parameter.groups()
            text = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
            challenges[-1].parameters.setdefault(name.lower(), text)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(value, position)
        if scheme is None:
            return challenges
        challenges.append(Challenge(scheme[1].lower(), {}))
        position = scheme.end()
        if _PARAMETER.match(value, position) is None:
            position = _end(_TOKEN68, value, position)


def _end(pattern: re.Pattern[str], value: str, position: int) -> int:
    """Return the end of the pattern's match, or the same position if there is none."""
    match = pattern.match(value, position)
    return position if match is None else match.end()
