"""That a plan depends on its seed alone, and asks of an API only for what it has."""

import pytest

from tests.campaign.peers import FAMILIES
from tests.campaign.plan import connection_plan, request_path, seed_of

APIS = [api for family in FAMILIES.values() for api in family]


def test_the_same_seed_makes_the_same_plan() -> None:
    plans = [connection_plan(7, "wscore.frames", "wscompat.asyncio") for _ in range(2)]
    assert plans[0] == plans[1]
    assert plans[0] != connection_plan(8, "wscore.frames", "wscompat.asyncio")


@pytest.mark.parametrize("client", APIS)
@pytest.mark.parametrize("server", APIS)
def test_endings_are_those_that_the_api_has(client: str, server: str) -> None:
    for seed in range(200):
        ending = connection_plan(seed, client, server).ending
        api = server if ending.who == "server" else client
        if "disconnect" in ending.how:
            assert api.startswith(("wscore", "picows"))
        if ending.how == "deaf close":
            assert api != "wscore.reader"
        if ending.how == "return":
            assert ending.who == "server"
            assert not api.startswith(("wscore", "picows"))


def test_the_path_says_all() -> None:
    path = request_path("1.2.3", 99, "wscore.reader")
    assert seed_of(path) == ("1.2.3", 99, "wscore.reader")
