"""The verdict on a canary: a function of counts. Pure.

Every point is ruled alike: within its limit it speaks for promotion; beyond it so clearly that chance does not explain
it, for rolling back; in between one has to wait. One point that speaks for rolling back is enough, and promotion needs
all of them.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from streams.canary.intervals import difference, quantile, same_mix
from streams.settings import CanarySettings

SURE = 0.01
"""Mixes that differ as much by chance less often than this do differ. Stricter than the intervals' 5%: the more often a
canary is looked at, the more often chance strikes."""

LEAST_MS = 0.1
"""Latencies below are not told apart; also, nothing is divided by 0."""


class Verdict(StrEnum):
    PROMOTE = "promote"
    HOLD = "hold"
    ROLL_BACK = "roll_back"


@dataclass(slots=True)
class Side:
    """What the topics say of the decisions of one pack and policy."""

    name: str
    """`pack@sha policy@sha`."""
    actions: Counter[str] = field(default_factory=Counter[str])
    totals_ms: array[float] = field(default_factory=lambda: array("d"))
    """`timings_ms.total` of each decision."""
    failures: Counter[str] = field(default_factory=Counter[str])
    """Of ours: `taken_back` from the canary, and dead letters by cause."""
    reviewed: int = 0
    agreed: int = 0
    """Decisions with feedback, and those of them whose action is the feedback's verdict."""

    @property
    def decisions(self) -> int:
        return self.actions.total()

    @property
    def tried(self) -> int:
        return self.decisions + self.failures.total()


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at. `value` is what is compared with `limit`; `low` and `high` are its interval."""

    name: str
    verdict: Verdict | None
    """None: left out, there is too little to say anything."""
    why: str
    canary: float | None = None
    live: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None


def verdict_of(points: Sequence[Point]) -> Verdict:
    found = {point.verdict for point in points}
    return next((each for each in (Verdict.ROLL_BACK, Verdict.HOLD) if each in found), Verdict.PROMOTE)


def judged_points(canary: Side, live: Side, settings: CanarySettings) -> tuple[Point, ...]:
    """What speaks for and against, in the order in which a person would ask."""
    return (
        _posts(canary, settings),
        _errors(canary, live, settings),
        _latency(canary, live, settings),
        _mix(canary, live, settings),
        _agreement(canary, live, settings),
    )


def _posts(canary: Side, settings: CanarySettings) -> Point:
    found, least = canary.decisions, settings.min_posts
    enough = found >= least
    why = f"{found:,} decisions of the canary, {'at least' if enough else 'fewer than'} {least:,}"
    verdict = Verdict.PROMOTE if enough else Verdict.HOLD
    return Point("posts", verdict, why, canary=found, value=found, limit=least)


def _errors(canary: Side, live: Side, settings: CanarySettings) -> Point:
    if not canary.tried or not live.tried:
        return Point("errors", Verdict.HOLD, "nothing to compare", limit=settings.max_error_ratio)
    failed, live_failed = canary.failures.total(), live.failures.total()
    more, (low, high) = difference(failed, canary.tried, live_failed, live.tried)
    told = ", ".join(f"{count:,} {name}" for name, count in canary.failures.most_common()) or "none"
    why = f"{failed / canary.tried:.2%} of the canary's posts failed ({told}), {live_failed / live.tried:.2%} of others"
    return Point(
        "errors",
        _ruled(more, low, settings.max_error_ratio),
        why,
        *(failed / canary.tried, live_failed / live.tried, more, low, high, settings.max_error_ratio),
    )


def _latency(canary: Side, live: Side, settings: CanarySettings) -> Point:
    if not canary.totals_ms or not live.totals_ms:
        return Point("latency", Verdict.HOLD, "nothing to compare", limit=settings.max_p95_ratio)
    mine, (mine_low, mine_high) = quantile(np.frombuffer(canary.totals_ms), 0.95)
    theirs, (theirs_low, theirs_high) = quantile(np.frombuffer(live.totals_ms), 0.95)
    ratio = max(mine, LEAST_MS) / max(theirs, LEAST_MS)
    low, high = (
        max(mine_low, LEAST_MS) / max(theirs_high, LEAST_MS),
        max(mine_high, LEAST_MS) / max(theirs_low, LEAST_MS),
    )
    why = f"95% of the canary's decisions took at most {mine:,.1f} ms, of the others {theirs:,.1f} ms"
    high = high if math.isfinite(high) else None
    return Point(
        "latency",
        _ruled(ratio, low, settings.max_p95_ratio),
        why,
        mine,
        theirs,
        ratio,
        low,
        high,
        settings.max_p95_ratio,
    )


def _mix(canary: Side, live: Side, settings: CanarySettings) -> Point:
    limit = settings.max_mix_shift
    if not canary.decisions or not live.decisions:
        return Point("actions", Verdict.HOLD, "nothing to compare", limit=limit)
    actions = sorted({*canary.actions, *live.actions})
    shares = {
        action: (canary.actions[action] / canary.decisions, live.actions[action] / live.decisions) for action in actions
    }
    shift = sum(abs(mine - theirs) for mine, theirs in shares.values()) / 2
    chance = same_mix(canary.actions, live.actions)
    told = ", ".join(f"{action} {mine:.1%} for {theirs:.1%}" for action, (mine, theirs) in shares.items())
    why = f"{told}: {shift:.2%} of the posts get another action; by chance alone with probability {chance:.2g}"
    verdict = Verdict.PROMOTE if shift <= limit else Verdict.ROLL_BACK if chance < SURE else Verdict.HOLD
    return Point("actions", verdict, why, value=shift, limit=limit)


def _agreement(canary: Side, live: Side, settings: CanarySettings) -> Point:
    limit, least = settings.max_agreement_loss, settings.min_feedback
    if min(canary.reviewed, live.reviewed) < least:
        why = f"left out: {canary.reviewed:,} and {live.reviewed:,} reviewed, expected {least:,} of each"
        return Point("agreement", None, why, limit=limit)
    loss, (low, high) = difference(live.agreed, live.reviewed, canary.agreed, canary.reviewed)
    mine, theirs = canary.agreed / canary.reviewed, live.agreed / live.reviewed
    why = f"people agree with {mine:.1%} of the canary's reviewed decisions, with {theirs:.1%} of the others"
    return Point("agreement", _ruled(loss, low, limit), why, mine, theirs, loss, low, high, limit)


def _ruled(value: float, low: float, limit: float) -> Verdict:
    if value <= limit:
        return Verdict.PROMOTE
    return Verdict.ROLL_BACK if low > limit else Verdict.HOLD
