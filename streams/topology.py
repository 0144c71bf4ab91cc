"""The chain as data: which stages there are, which topics feed them, where a record goes next.

To add a stage, write its processor and add its line to `CHAIN`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from schemas import Priority, Record, Stage

STANDARD, URGENT = "standard", "urgent"
LANES = (STANDARD, URGENT)

RETRY_DELAYS_S = {"5s": 5.0, "1m": 60.0, "10m": 600.0}
"""Delay of each retry topic, in rising order: the n-th attempt that fails waits the n-th delay."""


@dataclass(frozen=True, slots=True)
class StageInput:
    """What feeds a stage. `boundary`: its records always cross a topic, also within one process, so that one slow item
    cannot hold a partition of posts back."""

    stage: Stage
    boundary: bool = False


CHAIN: tuple[StageInput, ...] = (
    StageInput(Stage.INGEST),
    StageInput(Stage.FETCH, boundary=True),
    StageInput(Stage.OCR),
    StageInput(Stage.ASR),
    StageInput(Stage.PACK),
    StageInput(Stage.ENCODE),
    StageInput(Stage.FUSE),
)
"""The stages in the order in which a post meets them."""

STAGES: tuple[Stage, ...] = tuple(entry.stage for entry in CHAIN)
BOUNDARIES = frozenset(entry.stage for entry in CHAIN if entry.boundary)


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

    def inputs(self, stages: Iterable[Stage]) -> dict[str, tuple[Stage, str]]:
        """The topics that a worker with these stages reads: topic -> (stage, lane)."""
        found: dict[str, tuple[Stage, str]] = {}
        for stage in stages:
            if stage is Stage.RETRY:
                found |= dict.fromkeys(self.retries(), (stage, STANDARD))
            else:
                found |= {self.stage(stage, lane): (stage, lane) for lane in LANES}
        return found

    def all(self) -> tuple[str, ...]:
        """Every topic of the system that this release reads or writes."""
        return (
            *self.inputs((*STAGES, Stage.RETRY)),
            self.decisions,
            self.confidence,
            self.flags,
            self.feedback,
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


def stays_here(stage: Stage, hosted: Collection[Stage]) -> bool:
    """Whether a record for `stage` is handed over in this process instead of crossing a topic."""
    return stage in hosted and stage not in BOUNDARIES


def lane_of(priority: Priority) -> str:
    """The lane for posts of a priority. Also what `modstream publish` goes by."""
    return URGENT if priority is Priority.URGENT else STANDARD
