"""The peer `wscompat`, through its message API."""

from tests.interop.websockets_api import make_peer

PEER = make_peer("wscompat")
