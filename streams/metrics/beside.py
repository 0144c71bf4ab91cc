"""The metrics of what judges beside the live pack and policy: a shadow and a canary. Only set where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.metrics import catalogue
from streams.metrics.labels import Codes
from streams.metrics.specs import Instruments


class BesideMetrics:
    """In one registry. All counts are since the last call."""

    def __init__(self, instruments: Instruments) -> None:
        self._shadow_posts = instruments.counter(catalogue.SHADOW_POSTS)
        self._shadow_actions = instruments.counter(catalogue.SHADOW_ACTIONS)
        self._shadow_flags = instruments.counter(catalogue.SHADOW_FLAGS)
        self._shadow_shift = instruments.histogram(catalogue.SHADOW_LABEL_SHIFT)
        self._shadow_seconds = instruments.histogram(catalogue.SHADOW_SECONDS)
        self._shadow_state = instruments.gauge(catalogue.SHADOW_STATE)
        self._shadow_waiting = instruments.gauge(catalogue.SHADOW_WAITING)
        self._canary_posts = instruments.counter(catalogue.CANARY_POSTS)
        self._canary_state = instruments.gauge(catalogue.CANARY_STATE)
        self._flag = Codes()

    def shadow(self, *, running: bool, waiting: int) -> None:
        self._shadow_state["running",].set(running)
        self._shadow_state["ended",].set(not running)
        self._shadow_waiting[()].set(waiting)

    def shadow_posts(self, outcomes: Mapping[str, int]) -> None:
        for outcome in ("judged", "failed", "skipped", "unsent"):
            self._shadow_posts[outcome,].inc(outcomes.get(outcome, 0))

    def shadow_compared(
        self, actions: Mapping[tuple[str, str], int], flags: Mapping[tuple[str, str], int], shifts: Sequence[float]
    ) -> None:
        """`actions`: (live, shadow) -> posts. `flags`: (flag, who alone raised it) -> posts. `shifts`: of each post the
        largest difference of a label's probability."""
        for pair, posts in actions.items():
            self._shadow_actions[pair].inc(posts)
        for (flag, by), posts in flags.items():
            self._shadow_flags[self._flag(flag), by].inc(posts)
        if shifts:
            self._shadow_shift[()].observe_many(shifts)

    def shadow_batches(self, seconds: Sequence[float]) -> None:
        if seconds:
            self._shadow_seconds[()].observe_many(seconds)

    def canary(self, *, chosen: bool) -> None:
        self._canary_state["chosen",].set(chosen)
        self._canary_state["off",].set(not chosen)

    def canary_posts(self, stage: str, outcome: str, posts: int) -> None:
        self._canary_posts[stage, outcome].inc(posts)
