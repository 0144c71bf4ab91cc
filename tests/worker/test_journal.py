"""The journal tells, after a death, which messages were under way, and in how many deaths each of them was."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import Stage
from streams.topology import LONG, STANDARD, URGENT
from streams.worker.journal import MAX_RUN, InFlight, Journal
from streams.worker.ledger import PartitionLedger, Ticket

POSTS = "moderation.posts"


def tickets(*offsets: int, topic: str = POSTS, partition: int = 0) -> list[Ticket]:
    home = PartitionLedger(topic, partition)
    return [Ticket(home, offset, 1, 0.0, None) for offset in offsets]


def die(
    folder: Path,
    *offsets: int,
    instance: str = "w-0",
    alone: bool = False,
    stage: Stage = Stage.ENCODE,
    lane: str = STANDARD,
) -> None:
    """A process starts, begins on these messages, and is gone."""
    Journal(folder, instance).enter(stage, lane, tickets(*offsets), alone=alone)


def suspects(folder: Path, instance: str = "w-0", partition: int = 0) -> dict[int, tuple[int, bool]]:
    """After the next start: offset -> (crashes, whether alone in one)."""
    found = Journal(folder, instance).suspects(POSTS, partition)
    return {offset: (entry.crashes, entry.alone) for offset, entry in found.items()}


def test_a_process_that_begins_has_no_suspects(tmp_path: Path) -> None:
    assert suspects(tmp_path / "new" / "folder") == {}


def test_one_death_makes_no_suspect(tmp_path: Path) -> None:
    die(tmp_path, 5, 6)
    assert suspects(tmp_path) == {}


def test_a_message_under_way_in_two_deaths_is_a_suspect_with_all_beside_it(tmp_path: Path) -> None:
    die(tmp_path, 5, 6, 7)
    die(tmp_path, 6, 7, 8)
    assert suspects(tmp_path) == {6: (2, False), 7: (2, False)}


def test_the_count_outlives_any_number_of_clean_starts(tmp_path: Path) -> None:
    die(tmp_path, 6)
    for _ in range(3):
        Journal(tmp_path, "w-0").close()
    die(tmp_path, 6)
    assert suspects(tmp_path) == {6: (2, False)}


def test_a_death_alone_tells_who_it_was(tmp_path: Path) -> None:
    die(tmp_path, 6, 7)
    die(tmp_path, 6, 7)
    die(tmp_path, 6, alone=True)
    assert suspects(tmp_path) == {6: (3, True), 7: (2, False)}


def test_what_was_under_way_in_several_stages_counts_once_for_one_death(tmp_path: Path) -> None:
    """A stage hands its batch on before it takes its note back."""
    journal = Journal(tmp_path, "w-0")
    for stage in (Stage.PACK, Stage.ENCODE, Stage.FUSE):
        journal.enter(stage, STANDARD, tickets(6))
    assert suspects(tmp_path) == {}
    die(tmp_path, 6)
    assert suspects(tmp_path) == {6: (2, False)}


def test_each_lane_of_a_stage_is_noted_by_itself(tmp_path: Path) -> None:
    """A long item stays under way while many short batches begin and end beside it."""
    for _ in range(2):
        journal = Journal(tmp_path, "w-0")
        journal.enter(Stage.OCR, LONG, tickets(5))
        journal.enter(Stage.OCR, STANDARD, tickets(6))
        journal.leave(Stage.OCR, STANDARD)
        journal.enter(Stage.OCR, URGENT, tickets(7))
        journal.leave(Stage.OCR, URGENT)
    assert suspects(tmp_path) == {5: (2, False)}


def test_a_batch_that_is_through_is_under_no_suspicion(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path, "w-0")
        journal.enter(Stage.ENCODE, STANDARD, tickets(5))
        journal.leave(Stage.ENCODE, STANDARD)
    assert suspects(tmp_path) == {}


def test_the_last_batch_counts_not_the_ones_before(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path, "w-0")
        journal.enter(Stage.ENCODE, STANDARD, tickets(*range(1000, 1100), topic="a.topic.with.a.long.name"))
        journal.enter(Stage.ENCODE, STANDARD, tickets(5))
    assert suspects(tmp_path) == {5: (2, False)}


def test_a_clean_end_leaves_nothing_in_flight(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path, "w-0")
        journal.enter(Stage.ENCODE, STANDARD, tickets(5))
        journal.close()
    assert suspects(tmp_path) == {}
    assert list(tmp_path.glob("*.in-flight")) == []


def test_partitions_and_topics_are_told_apart(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path, "w-0")
        journal.enter(
            Stage.ENCODE, STANDARD, [*tickets(5), *tickets(9, partition=1), *tickets(5, topic="moderation.pack")]
        )
    assert suspects(tmp_path) == {5: (2, False)}
    assert suspects(tmp_path, partition=1) == {9: (2, False)}


def test_what_lies_between_the_messages_under_way_is_under_no_suspicion(tmp_path: Path) -> None:
    for _ in range(2):
        die(tmp_path, 9000, 102, 100, 101)
    assert set(suspects(tmp_path)) == {100, 101, 102, 9000}


@settings(max_examples=60)
@given(offsets=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), min_size=1, max_size=80))
def test_exactly_the_messages_under_way_are_suspected_whatever_their_order(
    tmp_path_factory: pytest.TempPathFactory, offsets: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    homes = [PartitionLedger(POSTS, partition) for partition in range(3)]
    for _ in range(2):
        journal = Journal(folder, "w-0")
        journal.enter(
            Stage.FETCH, STANDARD, [Ticket(homes[partition], offset, 1, 0.0, None) for partition, offset in offsets]
        )
    journal = Journal(folder, "w-0")
    found = {(partition, offset) for partition in range(3) for offset in journal.suspects(POSTS, partition)}
    assert found == set(offsets)


def test_a_run_of_any_length_does_not_fill_the_memory(tmp_path: Path) -> None:
    torn = msgspec.json.encode([InFlight(POSTS, 0, 0, 10**15)])
    (tmp_path / "w-0.encode.in-flight").write_bytes(torn + b"\n")
    journal = Journal(tmp_path, "w-0")
    assert len(journal._counts) == MAX_RUN


def test_what_has_been_committed_is_forgotten(tmp_path: Path) -> None:
    die(tmp_path, 5, 6, 7)
    die(tmp_path, 5, 6, 7)
    journal = Journal(tmp_path, "w-0")
    journal.forget_before(POSTS, 0, 7)
    journal.forget_before(POSTS, 1, 100)
    assert set(journal.suspects(POSTS, 0)) == {7}
    assert suspects(tmp_path) == {7: (2, False)}


def test_a_message_that_kills_one_worker_after_the_other_is_found(tmp_path: Path) -> None:
    """Its partition moves on when its owner dies; each instance counts its own deaths."""
    die(tmp_path, 6, instance="w-0")
    die(tmp_path, 6, instance="w-1")
    Journal(tmp_path, "w-0")
    Journal(tmp_path, "w-1")
    assert suspects(tmp_path, "w-2") == {6: (2, False)}


def test_where_a_short_and_a_long_one_ran_alone_the_short_one_is_to_blame(tmp_path: Path) -> None:
    for alone in (False, False, True):
        journal = Journal(tmp_path, "w-0")
        journal.enter(Stage.ASR, LONG, tickets(1), alone=alone)
        journal.enter(Stage.ENCODE, STANDARD, tickets(2), alone=alone)
    assert suspects(tmp_path) == {1: (3, False), 2: (3, True)}


def test_a_long_one_that_ran_alone_beside_others_is_to_blame(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w-0")
    journal.enter(Stage.ASR, LONG, tickets(1), alone=True)
    journal.enter(Stage.ENCODE, STANDARD, tickets(2, 3))
    assert suspects(tmp_path) == {1: (1, True)}


def test_an_instance_leaves_the_notes_of_others_alone_though_their_names_begin_alike(tmp_path: Path) -> None:
    other = Journal(tmp_path, "w.1")
    other.enter(Stage.ENCODE, STANDARD, tickets(6))
    Journal(tmp_path, "w").close()
    assert (tmp_path / "w.1.encode.in-flight").exists()
    die(tmp_path, 6, instance="w.1")
    assert suspects(tmp_path, "w.1") == {6: (2, False)}


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b"\0" * 40,
        b"[",
        b'[{"topic": "moderation.po',
        b'[{"topic":"\xff\xfe","partition":0,"first":1,"last":2}]\n',
        b'{"not": "a list"}\n',
        b'[{"topic":"moderation.posts","partition":0,"first":"x","last":2}]\n',
    ],
)
def test_a_torn_note_is_no_note_and_no_reason_not_to_start(tmp_path: Path, torn: bytes) -> None:
    die(tmp_path, 6)
    (tmp_path / "w-0.pack.in-flight").write_bytes(torn)
    die(tmp_path, 6)
    (tmp_path / "w-0.crashes.json.part").write_bytes(torn)
    assert suspects(tmp_path) == {6: (2, False)}


@settings(max_examples=30)
@given(torn=st.binary(max_size=80))
def test_counts_that_cannot_be_read_begin_anew(tmp_path_factory: pytest.TempPathFactory, torn: bytes) -> None:
    folder = tmp_path_factory.mktemp("journal")
    (folder / "w-0.crashes.json").write_bytes(torn)
    (folder / "w-1.crashes.json").write_bytes(torn)
    assert suspects(folder) == {}
    die(folder, 6)
    die(folder, 6)
    assert suspects(folder) == {6: (2, False)}


BATCHES = st.lists(st.integers(0, 500), min_size=1, max_size=20)


@settings(max_examples=40)
@given(first=BATCHES, second=BATCHES, data=st.data())
def test_a_note_torn_anywhere_is_read_without_complaint(
    tmp_path_factory: pytest.TempPathFactory, first: list[int], second: list[int], data: st.DataObject
) -> None:
    """The second note is written over the first and cut short: any prefix of it may have arrived."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder, "w-0")
    path = folder / "w-0.encode.in-flight"
    journal.enter(Stage.ENCODE, STANDARD, tickets(*first))
    before = path.read_bytes()
    journal.enter(Stage.ENCODE, STANDARD, tickets(*second))
    after = path.read_bytes()
    cut = data.draw(st.integers(0, len(after)))
    path.write_bytes(after[:cut] + before[cut:])
    counted = Journal(folder, "w-0")._counts
    assert all(entry.crashes == 1 for entry in counted.values())


def test_the_note_of_a_batch_of_adjacent_messages_is_small_however_many_they_are(tmp_path: Path) -> None:
    Journal(tmp_path, "w-0").enter(Stage.ENCODE, STANDARD, tickets(*range(10**12, 10**12 + 5_000)))
    assert (tmp_path / "w-0.encode.in-flight").stat().st_size < 200
