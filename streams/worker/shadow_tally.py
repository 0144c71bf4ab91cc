"""What a shadow is shown, and what is counted of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas import Decision, Record


class Judged(NamedTuple):
    """A decided post: its record as `fuse` got it, what was decided, and the bytes of the message that it came in."""

    record: Record
    decision: Decision
    size: int


@dataclass(slots=True)
class Tally:
    """What the shadow has done; for the metrics."""

    posts: Counter[str] = field(default_factory=Counter[str])
    """`judged`, `failed` (no decision came of it), `skipped` (no room for it) or `unsent` (Kafka did not take it)."""
    actions: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(live, shadow)."""
    flags: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(flag, `live` or `shadow`): raised by that one alone."""
    shifts: list[float] = field(default_factory=list[float])
    """Of each post the largest difference of a label's probability."""
    seconds: list[float] = field(default_factory=list[float])
    """Of each batch."""

    def compare(self, live: Decision, shadow: Decision) -> None:
        """Count how two decisions on one post compare."""
        self.posts["judged"] += 1
        self.actions[live.action.value, shadow.action.value] += 1
        for by, flags, others in (("live", live.flags, shadow.flags), ("shadow", shadow.flags, live.flags)):
            self.flags.update((flag, by) for flag in set(flags) - set(others))
        both = live.labels.keys() & shadow.labels.keys()
        self.shifts.append(max((abs(live.labels[label] - shadow.labels[label]) for label in both), default=0.0))

    def add(self, more: Tally) -> None:
        self.posts.update(more.posts)
        self.actions.update(more.actions)
        self.flags.update(more.flags)
        self.shifts += more.shifts
        self.seconds += more.seconds
