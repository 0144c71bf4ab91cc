"""What is promised, and how fast it may be used up before somebody is woken.

Multi-window, multi-burn-rate alerts as in chapter 5 of Google's Site Reliability Workbook ("Alerting on SLOs", the
sixth approach; https://sre.google/workbook/alerting-on-slos/). A burn rate of 1 uses the whole error budget up in
exactly the objective's 30 days. The long window says that it matters, the short one that it still goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas import Cause
from streams.metrics import catalogue
from streams.topology import STANDARD
from streams.watch.promql import increase, is_, like, observations_above, or_zero, rate, share_above

PERIOD_DAYS = 30

LATENCY_S = 0.1
"""A post of text on the standard lane is decided within this, from its publishing to its readable decision,"""
LATENCY_SHARE = 0.95
"""in so many cases of a hundred: the target that benchmarks/latency measures."""

AVAILABILITY_SHARE = 0.999
"""Of the posts that leave the chain, the share that leaves it with a decision. The others are dead letters by a fault
that is not their sender's. A post that is not decided *yet* counts for neither: lag and silence tell of those."""

OUR_CAUSES = tuple(cause.value for cause in Cause if cause not in (Cause.INVALID_POST, Cause.TRANSIENT))
"""Every final cause but a post that is none: that is its sender's fault, or senders could use our budget up."""

MIN_LOST = 10
"""Dead letters in the long window before they may wake somebody: one of a quiet night's hundred posts is ten times the
budget, and a person cannot do anything about it (the workbook's "low-traffic services")."""
MIN_LATE = 20
"""The same for posts that were decided late."""


@dataclass(frozen=True, slots=True)
class Burn:
    """One row of the workbook's table 5-8: alert when both windows burn at `rate` times the budget."""

    rate: float
    long: str
    short: str
    pages: bool


BURNS = (
    Burn(14.4, "1h", "5m", pages=True),  # 2% of the budget in one hour
    Burn(6.0, "6h", "30m", pages=True),  # 5% in six hours
    Burn(1.0, "3d", "6h", pages=False),  # 10% in three days
)

WINDOWS = ("5m", "30m", "1h", "6h", "3d")
"""Every window of `BURNS`."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise."""

    name: str
    """As in its rules: `modstream:<name>_errors:ratio1h`."""
    what: str
    share: float
    errors: Callable[[str], str]
    """Window -> the share of bad events over it."""
    bad: Callable[[str], str]
    """Window -> the number of bad events over it."""
    minimum: int
    """Bad events in the long window that an alert takes at least."""

    @property
    def budget(self) -> float:
        return round(1 - self.share, 6)


_TEXT = {"lane": is_(STANDARD.value), "kind": is_("text")}
_OURS = like("|".join(OUR_CAUSES))


def _late_share(window: str) -> str:
    return share_above(catalogue.END_TO_END_SECONDS, LATENCY_S, window, **_TEXT)


def _late(window: str) -> str:
    return observations_above(catalogue.END_TO_END_SECONDS, LATENCY_S, window, **_TEXT)


def _lost_share(window: str) -> str:
    lost = or_zero(rate(catalogue.DEAD_LETTERS, window, cause=_OURS))
    # Where every post is lost there may be no series of decided ones; added to nothing, the lost would be nothing too.
    return f"{lost} / ({or_zero(rate(catalogue.POSTS_DECIDED, window))} + {lost})"


def _lost(window: str) -> str:
    return increase(catalogue.DEAD_LETTERS, window, cause=_OURS)


LATENCY = Objective(
    "latency",
    f"{LATENCY_SHARE:.0%} of the posts of text on the standard lane are decided within {LATENCY_S:g} s",
    LATENCY_SHARE,
    _late_share,
    _late,
    MIN_LATE,
)
AVAILABILITY = Objective(
    "availability",
    f"{AVAILABILITY_SHARE:.1%} of the posts that leave the chain leave it with a decision",
    AVAILABILITY_SHARE,
    _lost_share,
    _lost,
    MIN_LOST,
)
OBJECTIVES = (LATENCY, AVAILABILITY)
