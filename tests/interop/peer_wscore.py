"""The peer `wscore`, through its callback API."""

from tests.interop.core_api import make_peer

PEER = make_peer("wscore")
