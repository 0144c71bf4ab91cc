from __future__ import annotations

import json
import time

import pytest

from schemas import Stage
from streams.lag import PartitionLag, by_stage, lag_of
from streams.topology import RETRY_DELAYS_S, STAGES, lanes_of
from tests.kafka_tools.conftest import PARTITIONS, Command, System


def lags(system: System, topic: str) -> dict[int, PartitionLag]:
    return {lag.partition: lag for lag in lag_of(system.settings, system.admin) if lag.topic == topic}


def test_every_partition_of_every_input_is_there_and_an_empty_one_is_not_behind(system: System) -> None:
    found = lag_of(system.settings, system.admin)
    assert [stage.stage for stage in by_stage(found)] == [*STAGES, Stage.RETRY]
    assert len(found) == (sum(len(lanes_of(stage)) for stage in STAGES) + len(RETRY_DELAYS_S)) * PARTITIONS
    assert {(lag.messages, lag.seconds, lag.committed) for lag in found} == {(0, 0.0, None)}


def test_what_was_never_committed_counts_from_the_first_message(system: System) -> None:
    topic = system.topics.stage(Stage.INGEST)
    system.produce(topic, *(("p", b"x") for _ in range(5)), partition=1)
    found = lags(system, topic)
    assert {partition: lag.messages for partition, lag in found.items()} == {0: 0, 1: 5, 2: 0}
    assert found[1].committed is None
    assert found[1].end == 5


def test_committed_messages_are_done_and_the_age_is_that_of_the_first_that_is_not(system: System) -> None:
    topic = system.topics.stage(Stage.ENCODE, "urgent")
    system.produce(topic, ("a", b"1"), ("b", b"2"), partition=0)
    system.commit({(topic, 0): 1})
    first, second = system.read(topic, 2)
    assert second.timestamp_ms >= first.timestamp_ms
    lag = lags(system, topic)[0]
    now_ms = time.time() * 1000
    assert (lag.messages, lag.committed, lag.end) == (1, 1, 2)
    assert 0 <= lag.seconds <= (now_ms - second.timestamp_ms) / 1000 + 0.1
    system.commit({(topic, 0): 2})
    assert (lags(system, topic)[0].messages, lags(system, topic)[0].seconds) == (0, 0.0)


def test_markers_and_aborted_messages_are_no_lag(system: System) -> None:
    topic = system.topics.stage(Stage.INGEST)
    for commit in (True, False, True, False):
        system.transaction(topic, ("p", b"x"), commit=commit)
    last = system.read(topic, 2)[-1]
    system.commit({last.place: last.offset + 1})
    lag = lags(system, topic)[last.partition]
    assert lag.end > last.offset + 1
    assert (lag.messages, lag.seconds) == (0, 0.0)


def test_stages_are_sums_and_take_the_oldest_age() -> None:
    def lag(stage: Stage, messages: int, seconds: float) -> PartitionLag:
        return PartitionLag(stage, "t", 0, None, messages, messages, seconds)

    found = by_stage([lag(Stage.INGEST, 2, 1.5), lag(Stage.INGEST, 3, 9.0), lag(Stage.PACK, 0, 0.0)])
    assert [(entry.stage, entry.messages, entry.seconds) for entry in found] == [
        (Stage.INGEST, 5, 9.0),
        (Stage.PACK, 0, 0.0),
    ]


def test_the_command_shows_stages_those_behind_and_the_total(system: System, command: Command) -> None:
    topic = system.topics.stage(Stage.INGEST)
    system.produce(topic, *(("p", b"x") for _ in range(5)), partition=1)
    code, out, err = command("lag", *system.flags)
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["STAGE", "TOPIC", "PARTITION", "MESSAGES", "SECONDS"]
    assert rows[1][:3] == ["ingest", "all", "5"]
    assert rows[2][:3] == [topic, "1", "5"]
    assert rows[3] == ["fetch", "all", "0", "0.0"]
    assert rows[-1][:2] == ["total", "5"]
    assert "has not committed anything" in err
    system.commit(system.ends(topic))
    code, out, err = command("lag", *system.flags)
    assert (out.splitlines()[-1].split(), err) == (["total", "0", "0.0"], "")


def test_the_same_as_json(system: System, command: Command) -> None:
    system.produce(system.topics.stage(Stage.FUSE), ("p", b"x"), partition=2)
    shown = json.loads(command("lag", "--json", *system.flags)[1])
    assert shown["group"] == system.settings.group
    assert shown["total"]["messages"] == 1
    assert shown["total"]["seconds"] == pytest.approx(0, abs=60)
    assert [stage["stage"] for stage in shown["stages"] if stage["messages"]] == ["fuse"]
    (behind,) = [lag for lag in shown["partitions"] if lag["messages"]]
    assert (behind["topic"], behind["partition"], behind["end"]) == (system.topics.stage(Stage.FUSE), 2, 1)
