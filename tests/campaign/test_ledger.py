"""That every kind of fault is noticed, and nothing that is right."""

import dataclasses

import pytest

from tests.campaign.ledger import Kind, Received, Side, judge
from tests.campaign.message import Message

NAME = "1.2.3/client"


def take(*numbers: int) -> tuple[Received, list[Kind]]:
    received = Received(NAME)
    faults = [received.take(Message(NAME, number, 0)) for number in numbers]
    return received, [fault.kind for fault in faults if fault]


def complete(sent: int, received: int) -> Side:
    return Side(
        begun=sent,
        handed=sent,
        received=received,
        close_sent=1000,
        close_received=1000,
        drained=True,
        finished=True,
    )


def kinds(client: Side, server: Side, how: str = "close", who: str = "client", **options: bool):
    faults = judge("it", client, server, how, who, breaks=options.get("breaks", False))
    return [(fault.kind, fault.count) for fault in faults]


def test_order_is_right() -> None:
    received, faults = take(0, 1, 2)
    assert (received.count, received.end, received.gaps, faults) == (3, 3, [], [])


def test_a_doubled_message_is_noticed() -> None:
    assert take(0, 1, 1)[1] == [Kind.DOUBLED]


def test_a_reordered_message_is_noticed() -> None:
    received, faults = take(0, 2, 1)
    assert (faults, received.gaps) == ([Kind.REORDERED], [])


def test_a_message_of_another_connection_is_noticed() -> None:
    fault = Received(NAME).take(Message("1.2.4/client", 0, 0))
    assert fault is not None
    assert fault.kind is Kind.CHANGED


def test_a_gap_is_left() -> None:
    received, _ = take(0, 3)
    assert (received.gaps, received.count, received.end) == ([1, 2], 2, 4)


def test_all_arrived() -> None:
    assert kinds(complete(5, 3), complete(3, 5)) == []


def test_a_message_lost_before_a_close_is_noticed() -> None:
    assert kinds(complete(5, 3), complete(3, 4)) == [(Kind.LOST, 1)]
    assert kinds(complete(5, 1), complete(3, 5)) == [(Kind.LOST, 2)]


def test_a_message_lost_before_a_disconnect_is_noticed() -> None:
    client = dataclasses.replace(complete(5, 0), close_sent=None, close_received=None)
    server = dataclasses.replace(complete(0, 4), close_sent=None, close_received=None)
    assert kinds(client, server, "disconnect") == [(Kind.LOST, 1)]
    assert kinds(client, dataclasses.replace(server, received=5), "disconnect") == []


def test_what_was_lost_on_a_broken_connection_is_no_fault() -> None:
    client = dataclasses.replace(complete(5, 0), close_received=None)
    server = dataclasses.replace(complete(0, 2), close_sent=None, close_received=None)
    assert kinds(client, server, "abort", breaks=True) == []


def test_a_gap_is_a_fault_on_any_connection() -> None:
    server = dataclasses.replace(complete(0, 4), gaps=[2], close_received=None)
    assert kinds(complete(5, 0), server, "abort", breaks=True) == [(Kind.LOST, 1)]


def test_a_message_whose_sending_was_cancelled_may_be_missing() -> None:
    client = dataclasses.replace(complete(5, 0), uncertain=[2])
    assert kinds(client, dataclasses.replace(complete(0, 5), gaps=[2])) == []
    assert kinds(client, complete(0, 5)) == []


def test_more_than_was_sent_is_noticed() -> None:
    assert kinds(complete(5, 0), complete(0, 6)) == [(Kind.DOUBLED, 1)]


def test_what_was_acknowledged_must_have_arrived_even_if_the_peer_was_killed() -> None:
    client = dataclasses.replace(complete(5, 0), acknowledged=4)
    server = Side(received=3)
    assert kinds(client, server, breaks=True) == [(Kind.LOST, 1)]


def test_a_close_that_did_not_arrive_is_noticed() -> None:
    server = dataclasses.replace(complete(0, 5), close_received=None)
    assert kinds(complete(5, 0), server) == [(Kind.UNCLEAN, 1)]
    client = dataclasses.replace(complete(5, 0), close_received=None)
    assert kinds(client, complete(0, 5)) == [(Kind.UNCLEAN, 1)]


def test_who_closes_between_fragments_gets_no_answer() -> None:
    client = dataclasses.replace(
        complete(5, 0), begun=6, uncertain=[5], close_sent=1011, close_received=None
    )
    assert kinds(client, complete(0, 5)) == []
    server = dataclasses.replace(complete(5, 5), close_received=1011)
    assert kinds(client, server, who="both") == []
    failed = dataclasses.replace(client, uncertain=[], begun=5)
    assert kinds(failed, server, who="both") != []
    assert kinds(failed, complete(0, 5)) == [(Kind.UNCLEAN, 1)]


@pytest.mark.parametrize("how", ["close and disconnect", "return"])
def test_who_does_not_wait_for_an_answer_needs_none(how: str) -> None:
    client = dataclasses.replace(complete(5, 0), close_received=None, drained=False)
    assert kinds(client, complete(2, 5), how) == []
