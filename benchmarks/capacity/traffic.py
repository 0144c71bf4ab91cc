"""How many posts come, of which kinds, and how unevenly over the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.capacity.costs import KINDS

DAY_S = 86_400

DEFAULT_MIX: Mapping[str, float] = {"text": 0.45, "image": 0.25, "audio": 0.15, "video": 0.10, "mixed": 0.05}

PEAK = 2.5
"""Posts a second in the busiest minutes by the day's mean. A sine between a tenth of the mean at night and 1.9 of it in
the evening, and a third more for an event; who has a measured day should say so instead."""

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Traffic:
    """`per_day` posts in shares by kind. Raises ValueError for shares that do not add up to 1, or unknown kinds."""

    per_day: float
    mix: Mapping[str, float] = field(default_factory=lambda: DEFAULT_MIX)
    peak: float = PEAK

    def __post_init__(self) -> None:
        if unknown := set(self.mix) - set(KINDS):
            raise ValueError(f"a mix of {', '.join(sorted(unknown))}: expected some of {', '.join(KINDS)}")
        if min(self.mix.values(), default=0) < 0 or abs(sum(self.mix.values()) - 1) > TOLERANCE:
            raise ValueError(f"a mix that adds up to {sum(self.mix.values()):g}: expected shares that add up to 1")
        if self.per_day <= 0 or self.peak < 1:
            raise ValueError(f"{self.per_day:g} posts a day, peak {self.peak:g}: expected more than 0, and at least 1")

    @property
    def mean_per_s(self) -> float:
        return self.per_day / DAY_S

    @property
    def peak_per_s(self) -> float:
        return self.mean_per_s * self.peak


def parsed_mix(text: str) -> dict[str, float]:
    """From `text=0.45,image=0.25,…`. Raises ValueError."""
    found: dict[str, float] = {}
    for part in text.split(","):
        kind, equals, share = part.partition("=")
        if not equals or kind.strip() in found:
            raise ValueError(f"{part!r}: expected KIND=SHARE, each kind once")
        found[kind.strip()] = float(share)
    return found
