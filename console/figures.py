"""The live figures and their last quarter of an hour: what is measured, and null for what nobody measured."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from console.counters import Counters, Window
from console.exposition import RECORDS
from console.feeds import HISTORY_S, Feeds
from console.scraping import Round
from schemas import Action, Stage
from streams.lag import PartitionLag, by_stage
from streams.settings import ConsoleSettings
from streams.topology import STAGES, Topics

SHOWN_STAGES = (*STAGES, Stage.RETRY)
LAG_STALE = 5
"""After so many intervals without an answer of the cluster, its lag is not known any more."""

SCRAPES_IN_WINDOW = 3
"""The shortest window, in intervals between scrapes: one may fail or be late."""

Lag = dict[tuple[str, str | None], tuple[int, float]]
"""(stage, lane; None for all lanes) -> messages and seconds."""


class Figures:
    """Takes scrapes and lags as they come, and gives the state of now. Used by one thread."""

    def __init__(
        self,
        settings: ConsoleSettings,
        topics: Topics,
        feeds: Feeds,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._inputs = topics.inputs(SHOWN_STAGES)
        self._posts = frozenset(topic for topic, (stage, _) in self._inputs.items() if stage is Stage.INGEST)
        self._feeds = feeds
        self._clock = clock
        self._wall = wall
        # A window that is not longer than the time between two scrapes holds one of them at most, and no rate.
        shortest_s = SCRAPES_IN_WINDOW * settings.scrape_interval_s
        self._rate_s = max(settings.rate_window_s, shortest_s)
        self._latency_s = max(settings.latency_window_s, shortest_s)
        self._counters = Counters(max(self._rate_s, self._latency_s) + settings.scrape_interval_s, self._rate_s)
        self._round = Round()
        self._lag: Lag = {}
        self._lag_at_s: float | None = None
        self._began_s = clock()
        self._points: deque[dict[str, Any]] = deque(maxlen=HISTORY_S)

    def scraped(self, found: Round) -> None:
        """One look at all workers."""
        self._round = found
        self._counters.took(self._clock(), found.scrapes)

    def lagged(self, lags: Iterable[PartitionLag]) -> None:
        """One look at the chain's group."""
        lags = list(lags)
        found: Lag = {(lag.stage.value, None): (lag.messages, lag.seconds) for lag in by_stage(lags)}
        lanes = {(stage, lane) for stage, lane in self._inputs.values()}
        for stage, lane in lanes:
            of_lane = [lag for lag in lags if self._inputs[lag.topic] == (stage, lane)]
            for lag in by_stage(of_lane):
                found[stage.value, lane] = (lag.messages, lag.seconds)
        self._lag, self._lag_at_s = found, self._clock()

    def state(self) -> dict[str, Any]:
        """The event `state`."""
        now_s = self._clock()
        rates = self._counters.window(now_s, self._rate_s)
        spans = self._counters.window(now_s, self._latency_s)
        decisions, seconds = self._feeds.actions_lately()
        return {
            "at_ms": int(self._wall() * 1000),
            "posts_per_s": _rounded(rates.consumed(self._posts, STAGES[0].value)),
            "decided_per_s": _rounded(rates.decided(STAGES[-1].value)),
            "stages": [self._stage(stage.value, rates, spans) for stage in SHOWN_STAGES],
            "latency": [
                {"lane": lane, **{f"p{q}_s": _rounded(spans.latency(lane, q / 100)) for q in (50, 95, 99)}}
                for lane in spans.lanes()
            ],
            "decisions": dict(decisions),
            "decisions_seconds": seconds,
            "dead_letters": [
                {"stage": stage, "cause": cause, "count": count} for stage, cause, count in self._feeds.causes_lately()
            ],
            "workers": {
                "up": len(self._round.scrapes),
                "expected": self._round.expected,
                "unreachable": list(self._round.unreachable),
            },
            "kafka_answers": self._kafka_answers(),
        }

    def tick(self) -> dict[str, Any]:
        """The state of now, which is remembered as a point of the history; to be called about once a second."""
        state = self.state()
        window = self._counters.window(self._clock(), self._latency_s)
        self._points.append(
            {
                "at_ms": state["at_ms"],
                "posts_per_s": state["posts_per_s"],
                "decided_per_s": state["decided_per_s"],
                "p95_s": _rounded(window.latency(None, 0.95)),
                "lag_s": {stage["stage"]: stage["lag_s"] for stage in state["stages"]},
            }
        )
        return state

    def history(self) -> dict[str, Any]:
        """The last quarter of an hour, a point a tick. `actions` are decisions in the second of each point."""
        points = list(self._points)
        # A decision is read a moment after its second: the newest points' counts grow until the next look.
        actions = [self._feeds.actions_at(point["at_ms"] // 1000) for point in points]
        return {
            **{name: [point[name] for point in points] for name in ("at_ms", "posts_per_s", "decided_per_s", "p95_s")},
            "lag_s": {stage.value: [point["lag_s"][stage.value] for point in points] for stage in SHOWN_STAGES},
            "actions": {
                action.value: [None if counts is None else counts[action] for counts in actions] for action in Action
            },
        }

    def _stage(self, stage: str, rates: Window, spans: Window) -> dict[str, Any]:
        messages, seconds = self._lag_of(stage, None)
        lanes = [lane for name, lane in self._inputs.values() if name == stage]
        return {
            "stage": stage,
            "lane": None,
            "records_per_s": _rounded(rates.records(stage)),
            "lag_messages": messages,
            "lag_s": seconds,
            "queue_p95_s": _rounded(spans.queue(stage, 0.95)),
            "compute_p95_s": _rounded(spans.compute(stage, 0.95)),
            "batch_mean": _rounded(spans.batch_mean(stage)),
            "workers": self._hosting(stage),
            "lanes": [
                {"lane": lane, "lag_messages": self._lag_of(stage, lane)[0], "lag_s": self._lag_of(stage, lane)[1]}
                for lane in dict.fromkeys(lanes)
            ],
        }

    def _hosting(self, stage: str) -> int | None:
        """Workers that host a stage, of those that answer: such a worker has the stage's counter from its start."""
        if not self._round.scrapes:
            return None if self._round.expected is None else 0
        return sum((RECORDS, stage) in series for series in self._round.scrapes.values())

    def _lag_of(self, stage: str, lane: str | None) -> tuple[int | None, float | None]:
        if self._lag_at_s is None or self._is_stale(self._lag_at_s):
            return None, None
        return self._lag.get((stage, lane), (None, None))

    def _kafka_answers(self) -> bool | None:
        """Whether the cluster has told the lag lately; None at the start, before the first answer was due."""
        if self._is_stale(self._began_s if self._lag_at_s is None else self._lag_at_s):
            return False
        return None if self._lag_at_s is None else True

    def _is_stale(self, at_s: float) -> bool:
        return self._clock() - at_s > LAG_STALE * max(1.0, self._settings.lag_interval_s)


def _rounded(value: float | None) -> float | None:
    """To a microsecond or a millionth: the page rounds further."""
    return None if value is None else round(value, 6)
