"""What is made of the raw times. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WARM_UP_SHARE = 0.1
"""Of the messages of a run: caches fill, the broker's code gets compiled, batches find their size."""


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank: a value that occurred).

    Raises ValueError without values, or for a share outside (0, 1].
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"the quantile {share} of {len(values)} values; expected a share in (0, 1] and some values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


@dataclass(frozen=True, slots=True)
class Steady:
    """The part of a run that counts: from the end of its warm-up to its last output, in seconds of the day."""

    from_s: float
    to_s: float
    messages: int

    @property
    def per_second(self) -> float:
        return self.messages / (self.to_s - self.from_s)


def steady(appended_ms: Sequence[float], warm_up: float = WARM_UP_SHARE) -> Steady:
    """The steady part of a run, from the times at which its outputs were appended, in any order.

    The first share `warm_up` of the messages is left out; all later ones count. Raises ValueError where no time passes
    between these two.
    """
    times = sorted(appended_ms)
    skipped = max(1, math.ceil(warm_up * len(times)))
    if skipped >= len(times) or times[-1] <= times[skipped - 1]:
        raise ValueError(f"{len(times)} outputs within no time: too few for a rate")
    return Steady(times[skipped - 1] / 1000, times[-1] / 1000, len(times) - skipped)


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median of a few rounds, with the rounds themselves beside it, to 4 digits."""
    return {"median": digits(median(values)), "least": digits(min(values)), "most": digits(max(values))}


def latencies(values_ms: Sequence[float]) -> dict[str, float]:
    """The usual quantiles, in the unit of the values."""
    return {
        "p50": digits(quantile(values_ms, 0.5)),
        "p95": digits(quantile(values_ms, 0.95)),
        "p99": digits(quantile(values_ms, 0.99)),
        "most": digits(max(values_ms)),
    }


def digits(value: float, count: int = 4) -> float:
    """`value` with `count` significant digits: no timing on a shared machine has more."""
    return 0.0 if value == 0 else float(f"{value:.{count}g}")
