"""The in-flight journal: which messages were being processed when a process died.

Each stage's thread (each lane of a stage has one) notes the offsets of its batch in a file before it touches them (one
small write, no fsync: the page cache outlives a killed process, and a machine that loses power is no message's fault).
The next start counts what it finds there as one crash each; a message seen in `SUSPECT_AFTER` crashes runs alone, and
one that dies alone too is given up. All instances of a host share the folder, since a partition moves to another worker
when its owner dies.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from schemas import Stage
from streams.topology import LANES, LONG, STANDARD
from streams.worker.ledger import PartitionLedger, Ticket

SUSPECT_AFTER = 2

# Counting every offset of a huge run would let one torn note fill the memory; a batch is never this large.
MAX_RUN = 100_000


class InFlight(msgspec.Struct, frozen=True):
    """A run of offsets of a partition, first..last, both inclusive: all of them were under way."""

    topic: str
    partition: int
    first: int
    last: int
    alone: bool = False


class Crashed(msgspec.Struct, frozen=True):
    """In how many crashes a message was under way, and whether it was alone in one."""

    topic: str
    partition: int
    offset: int
    crashes: int
    alone: bool


_IN_FLIGHT = msgspec.json.Decoder(list[InFlight])
_CRASHED = msgspec.json.Decoder(list[Crashed])


class Journal:
    """One instance's notes in the shared `folder`.

    Opening it turns what the previous process of this instance left in flight into crash counts.
    """

    def __init__(self, folder: Path, instance: str) -> None:
        self._folder = folder
        self._instance = instance
        folder.mkdir(parents=True, exist_ok=True)
        self._counts_path = folder / f"{instance}.crashes.json"
        self._counts = {
            (entry.topic, entry.partition, entry.offset): entry for entry in _read_counts(self._counts_path)
        }
        self._files: dict[Path, int] = {}
        self._count(self._notes())
        self._write_counts()
        self._remove_notes()

    def enter(self, stage: Stage, lane: str, tickets: Iterable[Ticket], *, alone: bool = False) -> None:
        """Note that this lane of `stage` begins on these messages, and on no others. Called by its own thread.

        A batch in the order of its offsets is one run, or a few where markers of transactions lie between; items that
        are under way side by side can be anywhere in their partition.
        """
        offsets: dict[PartitionLedger, list[int]] = {}
        for ticket in tickets:
            found = offsets.get(ticket.home)
            if found is None:
                offsets[ticket.home] = [ticket.offset]
            else:
                found.append(ticket.offset)
        notes = [
            InFlight(home.topic, home.partition, first, last, alone)
            for home, those in offsets.items()
            for first, last in _runs(those)
        ]
        self._write(self._path(stage, lane), msgspec.json.encode(notes))

    def leave(self, stage: Stage, lane: str) -> None:
        """Note that this lane of `stage` is done with its batch."""
        self._write(self._path(stage, lane), b"[]")

    def suspects(self, topic: str, partition: int) -> dict[int, Crashed]:
        """Messages of a partition that must run alone or be given up (then `alone` is set).

        Reads the counts of all instances that share the folder.
        """
        totals: dict[int, Crashed] = {}
        for path in self._folder.glob("*.crashes.json"):
            for entry in _read_counts(path):
                if entry.topic == topic and entry.partition == partition:
                    before = totals.get(entry.offset)
                    totals[entry.offset] = (
                        entry
                        if before is None
                        else Crashed(
                            topic, partition, entry.offset, before.crashes + entry.crashes, before.alone or entry.alone
                        )
                    )
        return {offset: entry for offset, entry in totals.items() if entry.crashes >= SUSPECT_AFTER or entry.alone}

    def forget_before(self, topic: str, partition: int, committed: int) -> None:
        """Drop the counts of messages that have been committed."""
        stale = [key for key in self._counts if key[:2] == (topic, partition) and key[2] < committed]
        if stale:
            for key in stale:
                del self._counts[key]
            self._write_counts()

    def close(self) -> None:
        """A clean end: nothing is in flight."""
        files, self._files = self._files, {}  # a thread that is still at long media may yet say that it is done
        for descriptor in files.values():
            os.close(descriptor)
        self._remove_notes()

    def _path(self, stage: Stage, lane: str) -> Path:
        where = stage.value if lane == STANDARD else f"{stage.value}.{lane}"
        return self._folder / f"{self._instance}.{where}.in-flight"

    def _paths(self) -> Iterator[Path]:
        # Named one by one: a pattern over the folder would also find the files of an instance whose name begins alike.
        return (self._path(stage, lane) for stage in Stage for lane in LANES)

    def _notes(self) -> list[InFlight]:
        """What the previous process had under way. Where a short post ran alone and long media did, each on its side,
        the short one is to blame: it was there for a moment, and the process died in that."""
        found = {path: _read_in_flight(path) for path in self._paths()}
        long = {self._path(stage, LONG) for stage in Stage}
        blamed = any(note.alone for path, notes in found.items() if path not in long for note in notes)
        return [
            msgspec.structs.replace(note, alone=False) if blamed and path in long else note
            for path, notes in found.items()
            for note in notes
        ]

    def _remove_notes(self) -> None:
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        descriptor = self._files.get(path)
        if descriptor is None:
            descriptor = self._files[path] = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        os.pwrite(descriptor, content + b"\n", 0)  # a newline ends it: what a longer note left behind is not read

    def _count(self, notes: list[InFlight]) -> None:
        # One death is one crash, however many stages had the message noted: the next one may begin on it before the
        # one before has taken its note back.
        seen: dict[tuple[str, int, int], bool] = {}
        for note in notes:
            for offset in range(note.first, min(note.last + 1, note.first + MAX_RUN)):
                key = (note.topic, note.partition, offset)
                seen[key] = note.alone or seen.get(key, False)
        for key, alone in seen.items():
            before = self._counts.get(key)
            self._counts[key] = Crashed(
                *key,
                crashes=before.crashes + 1 if before else 1,
                alone=alone or (before is not None and before.alone),
            )

    def _write_counts(self) -> None:
        part = self._counts_path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(list(self._counts.values())))
        part.replace(self._counts_path)


def _runs(offsets: list[int]) -> Iterator[tuple[int, int]]:
    """The runs of adjacent offsets among these, as (first, last); sorts them in place."""
    offsets.sort()
    first = last = offsets[0]
    for offset in offsets:
        if offset > last + 1:
            yield first, last
            first = offset
        last = offset
    yield first, last


def _read_in_flight(path: Path) -> list[InFlight]:
    try:
        return _IN_FLIGHT.decode(path.read_bytes().split(b"\n", 1)[0])
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []  # the process died within the write: it had not begun on the batch


def _read_counts(path: Path) -> list[Crashed]:
    try:
        return _CRASHED.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return []
