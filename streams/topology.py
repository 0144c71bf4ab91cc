"""The chain as data: which stages there are, which topics feed them, where a record goes next.

To add a stage, write its processor and add its line to `CHAIN`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from schemas import Priority, Record, Stage


class Lane(StrEnum):
    """Side by side through the chain: each has topics, threads and a budget of its own, so that none waits for another.

    `long` is for media that take minutes where others take a second.
    """

    STANDARD = "standard"
    URGENT = "urgent"
    LONG = "long"


STANDARD, URGENT, LONG = Lane.STANDARD, Lane.URGENT, Lane.LONG
LANES = (STANDARD, URGENT, LONG)

StageLane = tuple[Stage, str]
"""One lane of a stage: what a topic feeds, and what a thread works on."""

RETRY_DELAYS_S = {"5s": 5.0, "1m": 60.0, "10m": 600.0}
"""Delay of each retry topic, in rising order: the n-th attempt that fails waits the n-th delay."""


@dataclass(frozen=True, slots=True)
class StageInput:
    """What feeds a stage. `boundary`: its records always cross a topic, also within one process, so that one slow item
    cannot hold a partition of posts back. `long`: it takes so much longer for long media that these have a lane."""

    stage: Stage
    boundary: bool = False
    long: bool = False


CHAIN: tuple[StageInput, ...] = (
    StageInput(Stage.INGEST),
    StageInput(Stage.FETCH, boundary=True),
    StageInput(Stage.OCR, long=True),
    StageInput(Stage.ASR, long=True),
    StageInput(Stage.PACK),
    StageInput(Stage.ENCODE),
    StageInput(Stage.FUSE),
)
"""The stages in the order in which a post meets them."""

STAGES: tuple[Stage, ...] = tuple(entry.stage for entry in CHAIN)
BOUNDARIES = frozenset(entry.stage for entry in CHAIN if entry.boundary)
LONG_STAGES = tuple(entry.stage for entry in CHAIN if entry.long)


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of all topics under one prefix."""

    prefix: str = "moderation."

    @property
    def decisions(self) -> str:
        return f"{self.prefix}decisions"

    @property
    def confidence(self) -> str:
        return f"{self.prefix}confidence"

    @property
    def flags(self) -> str:
        return f"{self.prefix}flags"

    @property
    def feedback(self) -> str:
        return f"{self.prefix}feedback"

    @property
    def insights(self) -> str:
        """Windowed aggregates over the decisions."""
        return f"{self.prefix}insights"

    @property
    def shadow(self) -> str:
        """Decisions of a second policy or pack, which have no effect."""
        return f"{self.prefix}decisions.shadow"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}dead-letters"

    def stage(self, stage: Stage, lane: str = STANDARD) -> str:
        """The topic that feeds `stage` on `lane`; the chain's first stage reads the posts."""
        return _stage_topic(self.prefix, stage, lane)

    def retry(self, delay: str) -> str:
        return f"{self.prefix}retry.{delay}"

    def retries(self) -> dict[str, float]:
        """Retry topic -> its delay in seconds."""
        return {self.retry(delay): seconds for delay, seconds in RETRY_DELAYS_S.items()}

    def inputs(self, stages: Iterable[Stage], lanes: Collection[str] = LANES) -> dict[str, StageLane]:
        """The topics that a worker with these stages and lanes reads: topic -> (stage, lane)."""
        found: dict[str, StageLane] = {}
        for stage in stages:
            for lane in lanes_of(stage):
                if lane in lanes:
                    names = self.retries() if stage is Stage.RETRY else (self.stage(stage, lane),)
                    found |= dict.fromkeys(names, (stage, lane))
        return found

    def all(self) -> tuple[str, ...]:
        """Every topic of the system that this release reads or writes."""
        return (
            *self.inputs((*STAGES, Stage.RETRY)),
            self.decisions,
            self.confidence,
            self.flags,
            self.feedback,
            self.insights,
            self.shadow,
            self.dead_letters,
        )


@lru_cache
def _stage_topic(prefix: str, stage: Stage, lane: str) -> str:
    base = "posts" if stage is Stage.INGEST else stage.value
    return f"{prefix}{base}" if lane == STANDARD else f"{prefix}{base}.{lane}"


def next_stage(record: Record, done: Stage) -> Stage | None:
    """The stage of the record's route after `done`; None at its end."""
    at = record.route.index(done) + 1
    return record.route[at] if at < len(record.route) else None


def stays_here(stage: Stage, lane: str, before: str, hosted: Collection[StageLane]) -> bool:
    """Whether a record for a lane of `stage` is handed over in this process instead of crossing a topic. From one lane
    (`before`) to another there is always a topic: the offsets of one do not wait for the other."""
    return lane == before and (stage, lane) in hosted and stage not in BOUNDARIES


def lanes_of(stage: Stage) -> tuple[Lane, ...]:
    """The lanes that a stage has."""
    if stage is Stage.RETRY:
        return (STANDARD,)
    return LANES if stage in LONG_STAGES else (STANDARD, URGENT)


def next_lane(record: Record, following: Stage, before: str) -> str:
    """The lane of a record at the stage that follows; `before` is the one that it comes from."""
    if record.long and following in LONG_STAGES:
        return LONG
    return lane_of(record.post.priority) if before == LONG else before


def lane_of(priority: Priority) -> Lane:
    """The lane for posts of a priority. Also what `modstream publish` goes by."""
    return URGENT if priority is Priority.URGENT else STANDARD


def without_a_lane(stages: Iterable[Stage], lanes: Collection[str]) -> tuple[Stage, ...]:
    """Those of the stages that have none of the lanes: a worker of these would have nothing to read for them."""
    return tuple(stage for stage in stages if not set(lanes_of(stage)) & set(lanes))
