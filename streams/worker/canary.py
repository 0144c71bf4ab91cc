"""Which posts the canary judges in this worker, and when it is not chosen any more because it fails too often."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from processors.canary import place_of
from schemas import Stage
from streams.settings import CanarySettings
from streams.worker.breaker import Breaker, BreakerPolicy

log = logging.getLogger(__name__)


class CanaryWatch:
    """The choice by the settings; safe to call from several threads.

    When, at one stage and within the window, the canary's failures pass the settings' ratio, this worker stops choosing
    it, until it is started again. Nothing is lost: what it failed on was judged by the live pack and policy.
    """

    def __init__(self, settings: CanarySettings, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`name`: its pack and its policy."""
        self.name = name
        self.off = False
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._breakers: dict[Stage, Breaker] = {}
        self._counts: Counter[tuple[Stage, str]] = Counter()

    def takes(self, post_id: str) -> bool:
        """Whether it judges the post; of those that are on their way through several stages, too."""
        return not self.off and place_of(post_id, self._settings.salt) < self._settings.share

    def judged(self, stage: Stage, posts: int, failures: int, why: str = "") -> None:
        """How it did at a stage: of so many posts of a batch so many failed; `why`: the kind of the last failure."""
        with self._lock:
            self._counts[stage, "judged"] += posts - failures
            self._counts[stage, "taken_back"] += failures
            if stage not in self._breakers:
                settings = self._settings
                policy = BreakerPolicy(settings.window_s, settings.min_failures, settings.max_error_ratio, 0.0)
                self._breakers[stage] = Breaker(policy)
            if self.off or not self._breakers[stage].record(self._clock(), posts, failures):
                return
            self.off = True
        log.error(
            "the canary (%s) fails at %s on more than %g of its posts (the last time: %s): it is switched off in this "
            "worker until a restart, and the live pack and policy judge all posts",
            *(self.name, stage, self._settings.max_error_ratio, why),
        )

    def counts(self) -> dict[tuple[Stage, str], int]:
        """(stage, `judged` or `taken_back`) -> posts, since the start."""
        with self._lock:
            return dict(self._counts)
