"""The states of the groups that this worker has: decoded, folded over a batch, and handed back as bytes. No Faust."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from schemas import Insight
from streams.insights.groups import Group, Kind, Observation, Progress
from streams.insights.metrics import InsightMetrics
from streams.insights.progress import Watermarks
from streams.insights.report import insights_of
from streams.insights.windows import (
    Closed,
    Drifted,
    Rules,
    State,
    close,
    close_early,
    count,
    decode_state,
    encode_state,
)
from streams.settings import InsightSettings

Placed = tuple[int, bytes | None, Observation | Progress]
"""(partition, key, message) of the topic of grouped observations."""


MAX_STATE_BYTES = 2 * 1024 * 1024
"""Of one group: half of what a message may hold. Posts are dated by their senders, and one partition may be read far
ahead of another, so open windows can be any number; one that no message can hold would end every worker that has it."""


class Aggregation:
    """Folds batches into states.

    `stored` is the table: the encoded group -> its encoded state. It is read only: whoever calls writes what `fold`
    returns, after the insights were published; a crash between the two publishes the same insights once more.
    `partition_of` says which partition a group's key belongs to.
    """

    def __init__(
        self,
        settings: InsightSettings,
        stored: Mapping[bytes, bytes],
        partition_of: Callable[[bytes], int],
        metrics: InsightMetrics,
    ) -> None:
        self._settings = settings
        self._rules = Rules.of(settings)
        self._stored = stored
        self._partition_of = partition_of
        self._metrics = metrics
        self._watermarks: dict[int, Watermarks] = {}
        self._swept: dict[tuple[int, Kind], int] = {}

    def forget_watermarks(self) -> None:
        """After a rebalance: partitions have changed hands, and all workers will soon tell their progress again."""
        self._watermarks.clear()
        self._swept.clear()

    def fold(self, batch: Iterable[Placed]) -> tuple[list[Insight], dict[bytes, bytes]]:
        """What is to be published, and the states that have changed."""
        touched: dict[bytes, State] = {}
        told: set[int] = set()
        for partition, key, message in batch:
            if isinstance(message, Progress):
                self._watermarks.setdefault(partition, Watermarks()).note(message)
                told.add(partition)
            elif key is not None:
                state = self._state(key, touched)
                kind, late, repeated = Group.decode(key).kind, state.late, state.repeated
                count(state, kind, message, self._rules)
                self._metrics.counted(kind, state.late - late, state.repeated - repeated)
        insights = [insight for partition in sorted(told) for insight in self._close(partition, touched)]
        states = {key: encode_state(state) for key, state in touched.items()}
        for key, state in touched.items():
            group = Group.decode(key)
            while len(states[key]) > MAX_STATE_BYTES and state.open:
                insights += self._insights(group, close_early(state, group.kind, self._rules))
                states[key] = encode_state(state)
        return insights, states

    def _state(self, key: bytes, touched: dict[bytes, State]) -> State:
        state = touched.get(key)
        if state is None:
            raw = self._stored.get(key)
            state = touched[key] = State() if raw is None else decode_state(raw)
        return state

    def _close(self, partition: int, touched: dict[bytes, State]) -> Iterable[Insight]:
        due: dict[Kind, int] = {}
        for kind in Kind:
            watermark_ms = self._watermarks[partition].of(kind)
            if watermark_ms is None:
                continue
            self._metrics.watermark(kind, watermark_ms)
            # Windows of all groups end together: until the next one does, there is nothing to look for.
            index = (watermark_ms - self._rules.grace_ms) // self._rules.window_ms
            if self._swept.get((partition, kind)) != index:
                self._swept[partition, kind] = index
                due[kind] = watermark_ms
        if not due:
            return
        for key in sorted(self._stored.keys() | touched.keys()):
            group = Group.decode(key)
            if group.kind not in due or self._partition_of(key) != partition:
                continue
            known = key in touched
            state = self._state(key, touched)
            closed = close(state, group.kind, due[group.kind], self._rules)
            if not closed and not known:
                del touched[key]  # as it was
            yield from self._insights(group, closed)

    def _insights(self, group: Group, spans: Iterable[Closed | Drifted]) -> Iterable[Insight]:
        for span in spans:
            insight = insights_of(group, span, self._settings)
            if insight is not None:
                yield insight
