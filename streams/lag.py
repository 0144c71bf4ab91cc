"""How far the chain is behind: by topic and partition, in messages and in seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from schemas import Stage
from streams.kafka import common_settings, new_consumer
from streams.offsets import Place, committed_offsets, end_offsets, first_offsets, places_of
from streams.reader import Reader
from streams.settings import Settings
from streams.topology import STAGES, Topics

PATIENCE_S = 10.0
"""For one message of each partition that is behind."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition of a stage's input."""

    stage: Stage
    topic: str
    partition: int
    committed: int | None
    """None: the group has never committed here; a worker would begin at the first message."""
    end: int
    messages: int
    """Offsets from the first message that is not committed to the end; markers of transactions take offsets too."""
    seconds: float
    """Age of that message; 0 when there is none."""


def lag_of(settings: Settings, admin: AdminClient) -> list[PartitionLag]:
    """The lag of the chain's group on every partition of every stage's topics, in the chain's order.

    A partition whose rest holds no message, only markers of transactions, is not behind. Raises `TopicsError` and
    KafkaException.
    """
    inputs = Topics(settings.topics.prefix).inputs((*STAGES, Stage.RETRY))
    places = places_of(admin, inputs)
    firsts, ends = first_offsets(admin, places), end_offsets(admin, places)
    committed = _committed(settings, places)
    # What retention has deleted is nobody's work any more.
    open_at = {place: max(committed.get(place, 0), firsts[place]) for place in places}
    behind = {place: offset for place, offset in open_at.items() if offset < ends[place]}
    waiting = _first_messages(settings, behind, ends)
    now_ms = time.time() * 1000
    lags: list[PartitionLag] = []
    for place in places:
        offset, timestamp_ms = waiting.get(place, (ends[place], now_ms))
        lags.append(
            PartitionLag(
                stage=inputs[place[0]][0],
                topic=place[0],
                partition=place[1],
                committed=committed.get(place),
                end=ends[place],
                messages=ends[place] - offset,
                seconds=round(max(0.0, now_ms - timestamp_ms) / 1000, 1),
            )
        )
    return lags


@dataclass(frozen=True, slots=True)
class StageLag:
    """All partitions of one stage together."""

    stage: Stage
    messages: int
    seconds: float
    """Of the oldest message."""


def by_stage(lags: Iterable[PartitionLag]) -> list[StageLag]:
    """The sums, in the order in which the stages come."""
    stages: dict[Stage, list[PartitionLag]] = {}
    for lag in lags:
        stages.setdefault(lag.stage, []).append(lag)
    return [
        StageLag(stage, sum(lag.messages for lag in found), max(lag.seconds for lag in found))
        for stage, found in stages.items()
    ]


def _committed(settings: Settings, places: Iterable[Place]) -> dict[Place, int]:
    """What the group has committed, where it has."""
    consumer = new_consumer({**common_settings(settings.kafka, "lag"), "group.id": settings.group}, lambda error: None)
    try:
        found = committed_offsets(consumer, places)
    finally:
        consumer.close()
    return {place: entry.offset for place, entry in found.items() if entry.offset >= 0}


def _first_messages(
    settings: Settings, start: Mapping[Place, int], end: Mapping[Place, int]
) -> dict[Place, tuple[int, int]]:
    """Offset and timestamp (ms) of the first message from `start` on; no entry where there is none before `end`."""
    found: dict[Place, tuple[int, int]] = {}
    if not start:
        return found
    deadline_s = time.monotonic() + PATIENCE_S
    with Reader(settings.kafka, settings.group, "lag", start) as reader:
        while start.keys() - found.keys() - reader.ended:
            for message in reader.read(0.2):
                if message.offset < end[message.place]:
                    found.setdefault(message.place, (message.offset, message.timestamp_ms))
                else:
                    reader.ended.add(message.place)
            if time.monotonic() > deadline_s:
                raise TimeoutError("the oldest messages cannot be read: is a broker away?")
    return found
