"""That records are read as they were kept, also of what has not ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.ledger import Fault, Kind, Side
from tests.campaign.records import Reading, Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path / "it")
    yield recorder
    recorder.close()


def test_a_side_that_ended(recorder: Recorder, tmp_path: Path) -> None:
    record = recorder.begin("1.2.3", "client")
    record.side.begun, record.side.uncertain, record.side.drained = 3, [1], True
    record.finish()
    reading = Reading(tmp_path / "it")
    reading.update()
    assert reading.sides == {
        ("1.2.3", "client"): Side(begun=3, uncertain=[1], drained=True, finished=True)
    }


def test_a_side_that_was_cut_off(recorder: Recorder, tmp_path: Path) -> None:
    record = recorder.begin("1.2.3", "server")
    reading = Reading(tmp_path / "it")
    reading.update()
    record.side.received = record.side.acknowledged = 5
    record.save()
    reading.update()
    assert reading.sides == {("1.2.3", "server"): Side(received=5, acknowledged=5)}


def test_faults(recorder: Recorder, tmp_path: Path) -> None:
    recorder.fault(Fault(Kind.CHANGED, "so", 2))
    reading = Reading(tmp_path / "it")
    reading.update()
    assert reading.faults == [Fault(Kind.CHANGED, "so", 2)]


def test_a_process_that_recorded_nothing(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "it")
    reading.update()
    assert not reading.sides
