"""A canary: a second pack or policy that judges some of the posts for real, each stage choosing per post.

Which posts is a function of their id and the settings, so that every stage in every process chooses alike. A post that
the canary fails on is judged by the live pack and policy after all: it is *taken back*.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec.structs import replace

from processors.contract import ModalityError, Outcome, ProcessingError, Processor, TransientError
from processors.isolation import run_batch, run_isolating
from processors.pack.processor import before_pack
from schemas import Cause, Record, Stage

LIVE = "live"
"""`Record.judge` of a post that was taken back from the canary."""

TAKEN_BACK = "canary"
"""In `timings_ms`: what the canary had taken when the post was taken back from it. No other post has it."""

_PLACES = 1 << 64


def place_of(post_id: str, salt: str) -> float:
    """Where a post stands among all, 0 <= place < 1: it is among a share of them where its place is under the share.

    The first 53 bits of BLAKE2b (RFC 7693) with a digest of 8 bytes, of the id in UTF-8, keyed with the salt, over
    2**53: evenly spread, the same for ever and everywhere, and another salt gives another order that has nothing to do
    with it.
    """
    digest = hashlib.blake2b(post_id.encode(), digest_size=8, key=salt.encode()).digest()
    return (int.from_bytes(digest, "big") >> 11) / (_PLACES >> 11)  # 53 bits: what a float holds exactly, so never 1.0


class TakenBack(ProcessingError):
    """The canary could not judge a post: `record`, as it was before any pack saw it, goes to `stage` again."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(Cause.POISON, reason)
        self.record = record
        self.stage = Stage.PACK


class Choice(Protocol):
    """Who judges a post. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """The canary: its pack and its policy."""
        ...

    def takes(self, post_id: str) -> bool:
        """Whether the canary judges it; never once it is switched off."""
        ...

    @property
    def off(self) -> bool:
        """Whether it failed so often that it is not chosen any more."""
        ...

    def judged(self, stage: Stage, posts: int, failures: int, why: str = "") -> None:
        """How it did at a stage: of so many posts of a batch so many failed, and were taken back; `why`: the kind of
        the last failure, without any content."""
        ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record, prepared by the one who judges it."""

    record: Record
    item: Any
    by_canary: bool


class Split:
    """One stage with both processors, and each post to the one that it is for.

    `windows`: whether the two packs differ, so that what `pack` made for one cannot be judged by the other. Then a post
    keeps the judge that made its windows, and one that fails behind `pack` begins there anew; where only the policies
    differ, the live processor takes over on the spot.

    The live posts of a batch go first, and what befalls the canary's does not touch them.
    """

    def __init__(self, live: Processor[Any], canary: Processor[Any], choice: Choice, *, windows: bool) -> None:
        self.stage = live.stage
        self.batching = live.batching
        self.live = live
        self.canary = canary
        self._choice = choice
        self._marks = windows and self.stage is Stage.PACK
        self._bound = windows and self.stage in (Stage.ENCODE, Stage.FUSE)

    def cost(self, record: Record, /) -> int:
        return (self.canary if self._takes(record) else self.live).cost(record)

    def prepare(self, record: Record, /) -> Chosen:
        if not self._takes(record):
            if self._bound and is_canarys(record):
                raise taken_back(record, "its canary is not chosen here")
            return Chosen(record, self.live.prepare(record), by_canary=False)
        began_s = time.perf_counter()
        try:
            return Chosen(record, self.canary.prepare(record), by_canary=True)
        except TransientError as error:
            error.by_canary = True
            raise
        except ModalityError:
            raise
        except Exception as error:
            self._choice.judged(self.stage, 1, 1, _kind(error))
            took_s = time.perf_counter() - began_s
            if self._bound:
                raise taken_back(record, f"{type(error).__name__}: {error}", took_s) from error
            record = _for_live(record, took_s)
            return Chosen(record, self.live.prepare(record), by_canary=False)

    def process(self, batch: Sequence[Chosen], /) -> Sequence[Outcome]:
        """Raises what the live processor raises."""
        live = [chosen.item for chosen in batch if not chosen.by_canary]
        mine = [chosen for chosen in batch if chosen.by_canary]
        found = self.live.process(live) if live else ()
        if len(found) != len(live):
            raise RuntimeError(f"{len(found)} outcomes for a batch of {len(live)}")
        by_live, by_canary = iter(found), iter(self._try(mine) if mine else ())
        return [next(by_canary if chosen.by_canary else by_live) for chosen in batch]

    def _try(self, mine: Sequence[Chosen]) -> list[Outcome]:
        """An outcome for each; never that the canary failed."""
        began_s = time.perf_counter()
        outcomes, _ = run_isolating(self.canary.process, [chosen.item for chosen in mine])
        took_s = time.perf_counter() - began_s
        failed: list[int] = []
        why = ""
        for at, outcome in enumerate(outcomes):
            if isinstance(outcome, TransientError):
                outcome.by_canary = True
            elif isinstance(outcome, ProcessingError):
                failed.append(at)
                why = _kind(outcome)
                if self._bound:
                    outcomes[at] = taken_back(mine[at].record, str(outcome), took_s)
            elif self._marks:
                outcomes[at] = replace(outcome, judge=self._choice.name)
        self._choice.judged(self.stage, len(mine), len(failed), why)
        if failed and not self._bound:
            again = run_batch(self.live, [_for_live(mine[at].record, took_s) for at in failed])
            for at, outcome in zip(failed, again, strict=True):
                outcomes[at] = outcome
        return outcomes

    def _takes(self, record: Record) -> bool:
        if self._choice.off or record.judge == LIVE:
            return False
        if self._bound:
            return record.judge == self._choice.name
        return self._choice.takes(record.post.post_id)


def _kind(error: Exception) -> str:
    """What a log may say of an error: its text may hold what was posted."""
    return error.cause if isinstance(error, ProcessingError) and error.__cause__ is None else _type(error)


def _type(error: Exception) -> str:
    return type(error.__cause__ or error).__name__


def is_canarys(record: Record) -> bool:
    """Whether a canary's pack has made what there is to judge: no other can judge it."""
    return record.judge not in (None, LIVE)


def taken_back(record: Record, reason: str, took_s: float = 0.0) -> TakenBack:
    """`took_s`: what the canary took in vain."""
    return TakenBack(before_pack(_for_live(record, took_s)), reason)


def _for_live(record: Record, took_s: float) -> Record:
    timings_ms = {**record.timings_ms, TAKEN_BACK: round(took_s * 1000, 3)}
    return replace(record, judge=LIVE, timings_ms=timings_ms)
