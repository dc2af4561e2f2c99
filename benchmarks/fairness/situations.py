"""The situations: the load beside the polite connection."""

import dataclasses

__all__ = ["SITUATIONS", "TITLES", "Situation"]


@dataclasses.dataclass(frozen=True)
class Situation:
    """One situation.

    Attributes:
        name: name in files.
        title: title on pages, after "beside".
        connections: number of connections that flood.
        size: bytes of their messages.
    """

    name: str
    title: str
    connections: int = 0
    size: int = 0


SITUATIONS = (
    Situation("alone", "nobody else"),
    Situation("flood-1", "1 connection that floods", 1, 100),
    Situation("flood-10", "10 connections that flood", 10, 100),
    Situation("flood-100", "100 connections that flood", 100, 100),
    Situation("large", "a connection that sends messages of 16 MiB", 1, 16 * 1024 * 1024),
)
TITLES = {situation.name: situation.title for situation in SITUATIONS}
