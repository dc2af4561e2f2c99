"""What each side of each connection has done, kept so that a killed process leaves it behind.

The counts are in memory that is mapped from a file, which the system keeps whatever becomes of the
process; what is known at the end of a connection, and faults, are lines of JSON.
"""

import dataclasses
import json
import mmap
import struct
from pathlib import Path
from typing import Any

from tests.campaign.ledger import Fault, Kind, Side

__all__ = ["Reading", "Record", "Recorder"]

_COUNTS = struct.Struct("<4Q")  # begun, handed, received, acknowledged
_SLOTS = 1 << 16


class Recorder:
    """Where one process keeps its records.

    Args:
        stem: path of the two files, without their suffixes.
    """

    def __init__(self, stem: Path) -> None:
        counts = stem.with_suffix(".counts")
        with counts.open("w+b") as file:
            file.truncate(_COUNTS.size * _SLOTS)
            self._counts = mmap.mmap(file.fileno(), 0)
        self._lines = stem.with_suffix(".jsonl").open("w", buffering=1)
        self._slots = 0

    def begin(self, name: str, role: str) -> "Record":
        """Open the record of one side of a connection."""
        if self._slots == _SLOTS:
            raise RuntimeError("too many connections for one process")
        slot, self._slots = self._slots, self._slots + 1
        self.line(begin=name, role=role, slot=slot)
        return Record(self, name, role, slot)

    def fault(self, fault: Fault) -> None:
        """Note a fault."""
        self.line(fault=fault.kind.value, text=fault.text, count=fault.count)

    def line(self, **content: Any) -> None:
        """Write a line."""
        self._lines.write(json.dumps(content) + "\n")

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self._counts.close()

    def put(self, slot: int, side: Side) -> None:
        """Keep the counts."""
        counts = (side.begun, side.handed, side.received, side.acknowledged)
        _COUNTS.pack_into(self._counts, slot * _COUNTS.size, *counts)


class Record:
    """The record of one side of a connection."""

    def __init__(self, recorder: Recorder, name: str, role: str, slot: int) -> None:
        self.side = Side()
        self._recorder = recorder
        self._name = name
        self._role = role
        self._slot = slot

    def save(self) -> None:
        """Keep the counts as they are now."""
        self._recorder.put(self._slot, self.side)

    def fault(self, kind: Kind, text: str) -> None:
        """Note a fault."""
        self._recorder.fault(Fault(kind, f"{self._name}, {self._role}: {text}"))

    def finish(self) -> None:
        """Record that the connection has ended for this side."""
        self.side.finished = True
        self.save()
        self._recorder.line(end=self._name, role=self._role, side=dataclasses.asdict(self.side))


class Reading:
    """What a process has recorded, read as it grows.

    Args:
        stem: as for its `Recorder`.

    Attributes:
        sides: by name and role.
        faults: those not taken yet.
        others: all other lines.
    """

    def __init__(self, stem: Path) -> None:
        self.sides: dict[tuple[str, str], Side] = {}
        self.faults: list[Fault] = []
        self.others: list[Any] = []
        self._stem = stem
        self._slots: dict[tuple[str, str], int] = {}
        self._at = 0

    def update(self) -> None:
        """Read what has come since."""
        if not self._stem.with_suffix(".jsonl").exists():
            return  # the process was killed before it began
        with self._stem.with_suffix(".jsonl").open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):  # not written to its end yet, or never
                    break
                self._at += len(line)
                self._take(json.loads(line))
        self._count()

    def _take(self, line: dict[str, Any]) -> None:
        if "begin" in line:
            key = line["begin"], line["role"]
            self._slots[key] = line["slot"]
            self.sides[key] = Side()
        elif "end" in line:
            key = line["end"], line["role"]
            self.sides[key] = Side(**line["side"])
            del self._slots[key]
        elif "fault" in line:
            self.faults.append(Fault(Kind(line["fault"]), line["text"], line["count"]))
        else:
            self.others.append(line)

    def _count(self) -> None:
        """Read the counts of what has not ended."""
        with self._stem.with_suffix(".counts").open("rb") as file:
            for key, slot in self._slots.items():
                file.seek(slot * _COUNTS.size)
                counts = _COUNTS.unpack(file.read(_COUNTS.size))
                begun, handed, received, acknowledged = counts
                self.sides[key] = Side(
                    begun=begun, handed=handed, received=received, acknowledged=acknowledged
                )
