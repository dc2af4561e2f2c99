"""The peer `picows`, through its callback API."""

from tests.interop.core_api import make_peer

PEER = make_peer("picows")
