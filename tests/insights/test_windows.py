"""Windows of one group: sums do not depend on order, repetition or when windows close; what comes late is told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import Insight
from streams.insights import recompute, table
from streams.insights.groups import FED_BY, Group, Kind, Observation, Progress, Source, encode_grouped
from streams.insights.groups import decode_grouped as decode
from streams.insights.metrics import InsightMetrics
from streams.insights.observe import Message, Observer
from streams.insights.progress import Reading, Watermarks
from streams.insights.table import Aggregation, Placed
from streams.insights.windows import MAX_NAMES, OVERFLOW, Closed, Rules, State, Window, add_counts, close, count
from streams.settings import InsightSettings
from tests.counted import traffic
from tests.insights.conftest import INSIGHTS, METRICS

RULES = Rules.of(INSIGHTS)
PARTITIONS = 3
START_MS = 1_795_000_080_000


def observation(offset: int, at_ms: int, partition: int = 0, name: str = "total") -> Observation:
    return Observation(Source.DECISIONS, partition, offset, at_ms, {name: 1})


def test_a_place_is_counted_once_however_often_it_is_told() -> None:
    state = State()
    for offset in (0, 1, 2, 1, 2, 3):
        count(state, Kind.FLAGS, observation(offset, 1_000), RULES)
    assert state.open == {0: Window({"total": 4})}
    assert state.repeated == 2


def test_a_window_closes_a_grace_after_its_end_and_what_comes_then_is_late() -> None:
    state = State()
    count(state, Kind.FLAGS, observation(0, 9_999), RULES)
    count(state, Kind.FLAGS, observation(1, 10_000), RULES)
    end_ms, grace_ms = RULES.window_ms, RULES.grace_ms
    assert close(state, Kind.FLAGS, end_ms + grace_ms - 1, RULES) == []
    assert close(state, Kind.FLAGS, end_ms + grace_ms, RULES) == [Closed(0, end_ms, Window({"total": 1}), 0)]
    count(state, Kind.FLAGS, observation(2, 9_999), RULES)
    assert state.late == 1
    assert close(state, Kind.FLAGS, 30_000, RULES) == [Closed(end_ms, 2 * end_ms, Window({"total": 1}), late=1)]
    assert state.late == 0


def test_names_are_bounded() -> None:
    counts: dict[str, int] = {}
    for number in range(MAX_NAMES + 5):
        add_counts(counts, {f"flag.{number}": 1})
    assert len(counts) == MAX_NAMES + 1
    assert counts[OVERFLOW] == 5


class Broken:
    """A worker in this process, which crashes: what it was told since its last commit is told again."""

    def __init__(self, settings: InsightSettings = INSIGHTS) -> None:
        self.stored: dict[bytes, bytes] = {}
        self.published: dict[str, Insight] = {}
        self._settings = settings
        self.restart()

    def restart(self) -> None:
        self.metrics = InsightMetrics()
        self.aggregation = Aggregation(self._settings, self.stored, _partition_of, self.metrics)

    def fold(self, batch: list[Placed], *, crash: bool) -> None:
        insights, states = self.aggregation.fold(batch)
        self.published.update({insight.key: insight for insight in insights})
        if crash:  # published, and the states not written
            self.restart()
        else:
            self.stored.update(states)


def _partition_of(key: bytes) -> int:
    return sum(key) % PARTITIONS


def _grouped(messages: list[Message]) -> list[Placed]:
    observer = Observer(METRICS)
    return [
        (_partition_of(group.encode()), group.encode(), decode(encode_grouped(seen)))
        for message in messages
        for group, seen in observer.observe(message)
    ]


def _told(at_ms: int) -> list[Placed]:
    return [
        (partition, None, Progress(source, PARTITIONS, dict.fromkeys(range(PARTITIONS), at_ms)))
        for partition in range(PARTITIONS)
        for source in Source
    ]


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), crashes=st.lists(st.booleans(), max_size=12))
def test_crashes_and_repetitions_change_no_window(seed: int, crashes: list[bool]) -> None:
    draw = random.Random(seed)
    messages = list(traffic(12, start_ms=START_MS, span_ms=240_000, seed=seed))
    batch, worker = _grouped(messages), Broken()
    at = 0
    for crash in crashes:
        size = draw.randrange(1, 40)
        worker.fold(batch[at : at + size], crash=crash)
        if not crash:
            at = max(0, at + size - draw.randrange(5))  # the commit is behind: some are told again
    worker.fold(batch[at:], crash=False)
    worker.fold(_told(START_MS + 10_000_000), crash=True)
    worker.fold(_told(START_MS + 10_000_000), crash=False)
    assert worker.published == recompute(messages, INSIGHTS, METRICS)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_windows_may_close_while_messages_come(seed: int) -> None:
    messages = sorted(traffic(10, start_ms=START_MS, span_ms=240_000, seed=seed), key=lambda m: m.timestamp_ms)
    worker = Broken()
    for message in messages:
        worker.fold(_grouped([message]) + _told(message.timestamp_ms), crash=False)
    worker.fold(_told(START_MS + 10_000_000), crash=False)
    assert worker.published == recompute(messages, INSIGHTS, METRICS)


def test_windows_of_many_times_never_make_a_state_that_no_message_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As posts are whose sender dates each of them into a minute of its own, or a partition that is read far ahead."""
    monkeypatch.setattr(table, "MAX_STATE_BYTES", 2_000)
    worker, key = Broken(), Group(Kind.FLAGS).encode()
    for offset in range(400):
        seen = observation(offset, START_MS + offset * RULES.window_ms)
        worker.fold([(_partition_of(key), key, seen)], crash=False)
        assert len(worker.stored[key]) <= 2_000
    worker.fold(_told(START_MS + 401 * RULES.window_ms), crash=False)
    assert sum(insight.counts["total"] for insight in worker.published.values()) == 400


def test_a_watermark_waits_for_every_partition_of_every_topic() -> None:
    marks = Watermarks()
    for source in FED_BY[Kind.FLOODS]:
        assert marks.of(Kind.FLOODS) is None
        marks.note(Progress(source, 2, {0: 50}))
        assert marks.of(Kind.FLOODS) is None
        marks.note(Progress(source, 2, {1: 70}))
    assert marks.of(Kind.FLOODS) == 50
    marks.note(Progress(Source.POSTS, 2, {0: 40, 1: 90}))
    marks.note(Progress(Source.POSTS_URGENT, 2, {0: 60, 1: 90}))
    assert marks.of(Kind.FLOODS) == 50  # no worker takes back what another has told
    assert marks.of(Kind.DECISIONS) is None


def test_a_partition_at_its_end_has_reached_the_time_when_it_was_seen_there() -> None:
    reading = Reading()
    reading.look(position=5, end=5, received=None, now_ms=1_000)
    assert reading.reached_ms is None
    reading.look(position=5, end=5, received=None, now_ms=2_000)
    assert reading.reached_ms == 1_000


@pytest.mark.parametrize(("position", "end", "received"), [(4, 5, None), (5, None, None), (5, 5, 4)])
def test_a_partition_that_is_behind_or_has_messages_in_hand_is_not_at_its_end(
    position: int, end: int | None, received: int | None
) -> None:
    reading = Reading()
    for now_ms in (1_000, 2_000, 3_000):
        reading.look(position, end, received, now_ms)
    assert reading.reached_ms is None


def test_a_sender_whose_clock_runs_ahead_moves_no_watermark_past_ours() -> None:
    reading = Reading()
    reading.read(0, at_ms=10**15, now_ms=7_000)
    assert reading.reached_ms == 7_000


def test_groups_survive_their_encoding() -> None:
    for group in (Group(Kind.DECISIONS), Group(Kind.FLAGS, "tenant", "a|b=,c")):
        assert Group.decode(group.encode()) == group
