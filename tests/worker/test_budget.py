"""Each lane has a budget of what is under way: the one that is full stops being read, and the others go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.topology import LONG, STANDARD, URGENT
from streams.worker.budget import Budget, Budgets
from streams.worker.ledger import Ledger, PartitionLedger, TopicPartitionKey
from streams.worker.pauses import Pauses, Why

TOPICS = {"posts": STANDARD, "posts.urgent": URGENT, "asr.long": LONG}
BUDGETS: dict[str, Budget] = {
    STANDARD: Budget(records=10, bytes=1000, grace_s=1.0),
    URGENT: Budget(records=6, bytes=1000, grace_s=1.0),
    LONG: Budget(records=4, bytes=1000, grace_s=0.0),
}


class Bench:
    """Budgets over a ledger with two partitions of each topic, and what they told the client."""

    def __init__(self, *lanes: str) -> None:
        lanes = lanes or tuple(BUDGETS)
        topics = {topic: lane for topic, lane in TOPICS.items() if lane in lanes}
        self.ledger = Ledger(topics)
        self.paused: set[TopicPartitionKey] = set()
        self.sought: list[tuple[TopicPartitionKey, int]] = []
        self.pauses = Pauses(lambda keys: self.paused.update(keys), lambda keys: self.paused.difference_update(keys))
        budgets = {lane: BUDGETS[lane] for lane in lanes}
        self.budgets = Budgets(
            budgets, self.ledger, self.pauses, seek=lambda place, offset: self.sought.append((place, offset))
        )
        self.homes: dict[str, list[PartitionLedger]] = {
            lane: [self.ledger.open(topic, partition) for partition in range(2)] for topic, lane in topics.items()
        }

    def admit(self, lane: str, records: int, size: int = 1, partition: int = 0) -> None:
        home = self.homes[lane][partition]
        for _ in range(records):
            self.ledger.admit(home, home.position or 0, size, 0.0, None)

    def commit(self, lane: str, records: int) -> None:
        for _ in range(records):
            home = next(home for home in self.homes[lane] if home.tickets)
            home.tickets[0].outputs = []
            self.ledger.release([prefix for prefix in self.ledger.prefixes() if prefix.home is home])

    def take(self, home: PartitionLedger, offset: int) -> bool:
        """Whether a message that was read is taken in."""
        if self.budgets.turns_back(home, offset):
            return False
        self.ledger.admit(home, offset, 1, 0.0, None)
        return True

    def paused_topics(self) -> set[str]:
        return {topic for topic, _ in self.paused}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_as_much_is_read_as_the_fuller_lane_has_room_for(bench: Bench) -> None:
    assert bench.budgets.room(0.0) == 6
    bench.admit(STANDARD, 8)
    assert bench.budgets.room(0.0) == 2


def test_the_small_budget_of_long_media_makes_no_poll_small(bench: Bench) -> None:
    bench.admit(LONG, 3)
    assert bench.budgets.room(0.0) == 6


def test_a_lane_that_is_full_for_a_moment_is_waited_for_and_not_paused(bench: Bench) -> None:
    bench.admit(STANDARD, 10)
    assert bench.budgets.room(0.0) == 0
    assert bench.budgets.room(0.9) == 0
    assert bench.paused == set()


def test_a_lane_that_stays_full_is_paused_and_the_others_are_read(bench: Bench) -> None:
    bench.admit(STANDARD, 10)
    bench.budgets.room(0.0)
    assert bench.budgets.room(1.0) == 6
    assert bench.paused == {("posts", 0), ("posts", 1)}


def test_a_lane_that_hovers_below_its_budget_is_paused_too(bench: Bench) -> None:
    """What the client has fetched of it would stand before every urgent post."""
    bench.admit(STANDARD, 10)
    bench.budgets.room(0.0)
    bench.commit(STANDARD, 1)
    assert bench.budgets.room(0.5) == 1
    assert bench.budgets.room(1.0) == 6
    assert bench.paused_topics() == {"posts"}


def test_a_lane_that_was_paused_goes_on_at_half_its_budget(bench: Bench) -> None:
    bench.admit(STANDARD, 10)
    bench.budgets.room(0.0)
    bench.budgets.room(1.0)
    bench.commit(STANDARD, 4)
    bench.budgets.room(2.0)
    assert bench.paused_topics() == {"posts"}
    bench.commit(STANDARD, 1)
    assert bench.budgets.room(3.0) == 5
    assert bench.paused == set()


def test_a_lane_that_emptied_in_time_begins_its_grace_anew(bench: Bench) -> None:
    bench.admit(STANDARD, 10)
    bench.budgets.room(0.0)
    bench.commit(STANDARD, 5)
    bench.budgets.room(0.5)
    bench.admit(STANDARD, 5)
    assert bench.budgets.room(1.2) == 0
    assert bench.paused == set()


def test_the_bytes_of_a_lane_count_and_it_goes_on_at_half_of_them(bench: Bench) -> None:
    bench.admit(STANDARD, 2, size=500)
    assert bench.budgets.room(0.0) == 0
    bench.budgets.room(1.0)
    assert bench.paused_topics() == {"posts"}
    bench.commit(STANDARD, 1)
    bench.budgets.room(1.5)
    assert bench.paused == set()


def test_long_media_are_paused_as_soon_as_they_are_full(bench: Bench) -> None:
    bench.admit(LONG, 4)
    assert bench.budgets.room(0.0) == 6
    assert bench.paused_topics() == {"asr.long"}


def test_when_all_lanes_are_paused_the_client_is_still_polled(bench: Bench) -> None:
    for lane, budget in BUDGETS.items():
        bench.admit(lane, budget.records)
    bench.budgets.room(0.0)
    assert bench.budgets.room(1.0) == 1
    assert bench.paused_topics() == set(TOPICS)


def test_partitions_that_come_while_their_lane_is_full_are_paused(bench: Bench) -> None:
    bench.admit(LONG, 4)
    bench.budgets.room(0.0)
    bench.ledger.open("asr.long", 7)
    bench.budgets.room(0.1)
    assert ("asr.long", 7) in bench.paused


def test_lanes_that_are_closed_are_not_read_and_the_others_are(bench: Bench) -> None:
    """A message of theirs must run alone."""
    assert bench.budgets.room(0.0, closed=(LONG,)) == 6
    assert bench.paused_topics() == {"asr.long"}
    assert bench.budgets.room(1.0, closed=(STANDARD, URGENT)) == 0
    assert bench.budgets.room(2.0, closed=(STANDARD, URGENT)) == 1
    assert bench.paused_topics() == {"posts", "posts.urgent"}
    assert bench.budgets.room(2.1) == 6
    assert bench.paused == set()


def test_a_limit_on_all_lanes_together_holds_every_lane(bench: Bench) -> None:
    """A breaker's probe."""
    bench.admit(LONG, 2)
    assert bench.budgets.room(0.0, most=3) == 1
    assert bench.budgets.room(0.0, most=2) == 0
    assert bench.budgets.room(1.0, most=2) == 1
    assert bench.paused_topics() == set(TOPICS)
    assert bench.budgets.room(1.1) == 6
    assert bench.paused == set()


def test_a_worker_of_long_media_alone_reads_by_their_budget() -> None:
    bench = Bench(LONG)
    assert bench.budgets.room(0.0) == 4


# What is turned back


def test_long_media_beyond_their_budget_are_turned_back_to_be_read_again(bench: Bench) -> None:
    first, second = bench.homes[LONG]
    assert [bench.take(first, offset) for offset in range(3)] == [True] * 3
    assert [bench.take(second, offset) for offset in range(3)] == [True, False, False]
    assert not bench.take(first, 3)
    assert bench.sought == [(("asr.long", 1), 1), (("asr.long", 0), 3)]
    assert bench.paused_topics() == {"asr.long"}


def test_what_was_turned_back_is_taken_when_there_is_room(bench: Bench) -> None:
    home = bench.homes[LONG][0]
    bench.admit(LONG, 4)
    assert not bench.take(home, 4)
    bench.commit(LONG, 2)
    bench.budgets.room(0.0)
    assert bench.paused == set()
    assert bench.take(home, 4)
    assert home.held_at is None


def test_the_end_of_a_partition_is_not_believed_while_a_message_before_it_was_turned_back(bench: Bench) -> None:
    home = bench.homes[LONG][0]
    bench.admit(LONG, 4)
    bench.take(home, 4)
    home.reached_end(9)
    assert home.position == 4


def test_a_partition_that_is_read_anew_is_turned_back_anew(bench: Bench) -> None:
    bench.admit(LONG, 4, partition=1)
    assert not bench.take(bench.homes[LONG][0], 5)
    fresh = bench.ledger.open("asr.long", 0)
    assert not bench.take(fresh, 2)
    assert bench.sought == [(("asr.long", 0), 5), (("asr.long", 0), 2)]


def test_what_lanes_of_short_posts_have_read_is_never_turned_back(bench: Bench) -> None:
    bench.admit(STANDARD, 10)
    assert bench.take(bench.homes[STANDARD][0], 10)


def test_after_everything_was_forgotten_nothing_is_full(bench: Bench) -> None:
    bench.admit(LONG, 4)
    bench.admit(STANDARD, 10)
    bench.budgets.room(0.0)
    bench.ledger.forget(list(bench.ledger.partitions))
    bench.pauses.forget(list(bench.paused))
    bench.budgets.forget()
    assert bench.budgets.room(5.0) == 6
    assert bench.paused == set()


LANE = st.sampled_from((STANDARD, URGENT, LONG))


@given(st.lists(st.tuples(LANE, st.integers(0, 12), st.integers(0, 12)), max_size=60))
def test_whatever_comes_and_goes_no_lane_is_over_its_budget_and_none_is_left_paused(
    steps: list[tuple[str, int, int]],
) -> None:
    """The client gives as many messages as it is asked for, of any lane that is not paused."""
    bench = Bench()
    now_s = 0.0
    offsets: dict[str, int] = dict.fromkeys(BUDGETS, 0)
    for lane, offered, done in steps:
        now_s += 0.4
        room = bench.budgets.room(now_s)
        if bench.homes[lane][0].held_at is not None and not bench.pauses.held(Why.BUDGET):
            offsets[lane] = bench.homes[lane][0].held_at or 0
        if (next(topic for topic, of in TOPICS.items() if of == lane), 0) not in bench.paused:
            for _ in range(min(room, offered)):
                if bench.take(bench.homes[lane][0], offsets[lane]):
                    offsets[lane] += 1
        assert bench.ledger.loads[lane].records <= BUDGETS[lane].records
        bench.commit(lane, min(done, bench.ledger.loads[lane].records))
    for lane in BUDGETS:
        bench.commit(lane, bench.ledger.loads[lane].records)
    bench.budgets.room(now_s)
    assert bench.paused == set()
