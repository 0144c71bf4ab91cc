"""A message that was under way in several crashes runs alone, and holds up the other side of the lanes no more than it
must."""

from __future__ import annotations

import pytest

from streams.topology import LONG, STANDARD, URGENT
from streams.worker.alone import Alone
from streams.worker.batcher import Work
from streams.worker.ledger import PartitionLedger
from tests.worker.parts import work_of


def work(lane: str) -> Work:
    return work_of(home=PartitionLedger(f"topic.{lane}", 0, lane), lane=lane)


@pytest.fixture
def alone() -> Alone:
    return Alone()


def test_nothing_is_closed_while_nobody_is_suspected(alone: Alone) -> None:
    alone.begin(STANDARD, [work(STANDARD)])
    assert (alone.closed, alone.next(), alone.under_way) == ((), None, 1)


@pytest.mark.parametrize("lane", [STANDARD, URGENT])
def test_a_suspect_waits_for_all_short_posts_and_nothing_more_of_them_comes_in(alone: Alone, lane: str) -> None:
    before = [work(STANDARD), work(URGENT)]
    alone.begin(STANDARD, before[:1])
    alone.begin(URGENT, before[1:])
    suspect = work(lane)
    alone.wait(suspect)
    assert set(alone.closed) == {STANDARD, URGENT}
    assert alone.next() is None
    alone.end([before[0].ticket])
    assert alone.next() is None
    alone.end([before[1].ticket])
    assert alone.next() is suspect
    assert set(alone.closed) == {STANDARD, URGENT}
    alone.end([suspect.ticket])
    assert (alone.closed, alone.under_way) == ((), 0)


def test_a_suspect_does_not_wait_for_long_media(alone: Alone) -> None:
    alone.begin(LONG, [work(LONG)])
    suspect = work(STANDARD)
    alone.wait(suspect)
    assert alone.next() is suspect


def test_a_long_suspect_waits_for_long_media_and_closes_their_lane_alone(alone: Alone) -> None:
    before, suspect = work(LONG), work(LONG)
    alone.begin(LONG, [before])
    alone.begin(STANDARD, [work(STANDARD)])
    alone.wait(suspect)
    assert (alone.closed, alone.next()) == ((LONG,), None)
    alone.end([before.ticket])
    assert alone.next() is suspect


def test_suspects_run_one_after_the_other_short_ones_first(alone: Alone) -> None:
    long, first, second = work(LONG), work(STANDARD), work(URGENT)
    for suspect in (long, first, second):
        alone.wait(suspect)
    for suspect in (first, second, long):
        assert alone.next() is suspect
        assert alone.next() is None
        alone.end([suspect.ticket])


def test_a_short_suspect_does_not_wait_for_a_long_one_that_runs(alone: Alone) -> None:
    """Else its partition stood still for minutes, and `/live` would end the process and blame the recording."""
    long, short, next_long = work(LONG), work(STANDARD), work(LONG)
    for suspect in (long, next_long):
        alone.wait(suspect)
    assert alone.next() is long
    alone.wait(short)
    assert set(alone.closed) == {STANDARD, URGENT, LONG}
    assert alone.next() is short
    alone.end([long.ticket])
    assert alone.next() is None
    alone.end([short.ticket])
    assert alone.next() is next_long


def test_a_suspect_whose_partition_is_another_workers_runs_there(alone: Alone) -> None:
    gone, suspect = work(STANDARD), work(STANDARD)
    alone.wait(gone)
    alone.wait(suspect)
    gone.ticket.home.forgotten = True
    assert alone.next() is suspect


def test_what_waited_when_everything_was_forgotten_waits_no_more(alone: Alone) -> None:
    alone.wait(work(STANDARD))
    alone.forget()
    assert (alone.next(), alone.closed) == (None, ())
