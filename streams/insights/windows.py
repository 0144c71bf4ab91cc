"""Windows of one group, as a value that is folded over observations and closed by a watermark.

Tumbling windows over event time, with the watermark and lateness of T. Akidau et al., *The Dataflow Model* (VLDB 2015).
The value is all that a table remembers of a group, the places counted among it: it changes as one, so that a message
that is read again after a crash finds its place counted, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from streams.insights.drift import only_scores
from streams.insights.groups import Kind, Observation
from streams.insights.heavy import add_bounded
from streams.settings import InsightSettings

MS = 1000

MAX_NAMES = 1_000
"""Different names in a window of any kind but floods. Our vocabularies have some two hundred; a policy adds dozens."""

OVERFLOW = "other"
"""Counts what found no room."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings, in milliseconds."""

    window_ms: int
    grace_ms: int
    drift_ms: int
    reference_ms: int
    flood_capacity: int

    @classmethod
    def of(cls, settings: InsightSettings) -> Rules:
        return cls(
            settings.window_s * MS,
            settings.grace_s * MS,
            settings.drift_window_s * MS,
            settings.reference_s * MS,
            settings.flood_capacity,
        )


class Window(msgspec.Struct, array_like=True):
    """What was counted in [start, end) of a group. `errors` and `examples` are of floods."""

    counts: dict[str, int] = {}
    errors: dict[str, int] = {}
    examples: dict[str, str] = {}


class Scores(msgspec.Struct, array_like=True):
    """Scores of a longer span, by name."""

    start_ms: int
    counts: dict[str, int]

    def add(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


class State(msgspec.Struct, array_like=True):
    """All that is remembered of a group. Times in milliseconds since the epoch."""

    open: dict[int, Window] = {}
    """Start -> window."""
    counted: dict[str, int] = {}
    """Source and partition -> the last offset that was counted."""
    closed_ms: int = 0
    """The end of the last window that was closed; what belongs before it is late."""
    late: int = 0
    """Messages that came too late, since the last window that told of them."""
    repeated: int = 0
    """Messages that were told again after a crash and not counted again."""
    scores: Scores | None = None
    """Of the drift window under way."""
    collecting: Scores | None = None
    """Of the reference span under way."""
    reference: Scores | None = None
    """Of the last whole reference span that has any."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A window that takes nothing more."""

    start_ms: int
    end_ms: int
    window: Window
    late: int


@dataclass(frozen=True, slots=True)
class Drifted:
    """The scores of a closed drift window, and those of the reference before it, if there is one."""

    start_ms: int
    end_ms: int
    scores: dict[str, int]
    reference: dict[str, int]


def start_of(at_ms: int, length_ms: int) -> int:
    """Start of the window that a time is in; windows are counted from the epoch."""
    return at_ms - at_ms % length_ms


def count(state: State, kind: Kind, seen: Observation, rules: Rules) -> None:
    """Add an observation to the group's state, once: its place in the source is kept beside the counts."""
    place = f"{seen.source}-{seen.partition}"
    if seen.offset <= state.counted.get(place, -1):
        state.repeated += 1
        return
    state.counted[place] = seen.offset
    start_ms = start_of(seen.at_ms, rules.window_ms)
    if start_ms + rules.window_ms <= state.closed_ms:
        state.late += 1
        return
    window = state.open.setdefault(start_ms, Window())
    if kind is Kind.FLOODS:
        _count_bounded(window, seen, rules.flood_capacity)
    else:
        add_counts(window.counts, seen.counts)


def add_counts(into: dict[str, int], counts: Mapping[str, int]) -> None:
    """Sums by name; names past `MAX_NAMES` are counted together."""
    for name, by in counts.items():
        known = name if name in into or len(into) < MAX_NAMES else OVERFLOW
        into[known] = into.get(known, 0) + by


def _count_bounded(window: Window, seen: Observation, capacity: int) -> None:
    for name, by in seen.counts.items():
        dropped = add_bounded(window.counts, window.errors, name, by, capacity)
        if dropped is not None:
            window.examples.pop(dropped, None)
        if name in seen.examples:
            # The least of all: the same whatever order the posts come in.
            window.examples[name] = min(seen.examples[name], window.examples.get(name, seen.examples[name]))


def close(state: State, kind: Kind, watermark_ms: int, rules: Rules) -> list[Closed | Drifted]:
    """Close every window that ended `grace` before the watermark, in the order of time, and say what was in them."""
    found: list[Closed | Drifted] = []
    for start_ms in sorted(state.open):
        end_ms = start_ms + rules.window_ms
        if end_ms + rules.grace_ms > watermark_ms:
            break
        window = state.open.pop(start_ms)
        found.append(Closed(start_ms, end_ms, window, state.late))
        state.late = 0
        state.closed_ms = end_ms
        if kind is Kind.DECISIONS:
            drift_start_ms = start_of(start_ms, rules.drift_ms)
            if state.scores is not None and state.scores.start_ms != drift_start_ms:
                found.append(_close_drift(state, state.scores, rules))
            if state.scores is None:
                state.scores = Scores(drift_start_ms, {})
            state.scores.add(only_scores(window.counts))
    if state.scores is not None and state.scores.start_ms + rules.drift_ms + rules.grace_ms <= watermark_ms:
        found.append(_close_drift(state, state.scores, rules))
    return found


def close_early(state: State, kind: Kind, rules: Rules) -> list[Closed | Drifted]:
    """Close the older half of the open windows before their time; what still comes for them is late."""
    starts = sorted(state.open)
    return close(state, kind, starts[(len(starts) - 1) // 2] + rules.window_ms + rules.grace_ms, rules)


def _close_drift(state: State, scores: Scores, rules: Rules) -> Drifted:
    block_ms = start_of(scores.start_ms, rules.reference_ms)
    if state.collecting is not None and state.collecting.start_ms != block_ms:
        state.reference, state.collecting = state.collecting, None
    if state.collecting is None:
        state.collecting = Scores(block_ms, {})
    reference = dict(state.reference.counts) if state.reference is not None else {}
    found = Drifted(scores.start_ms, scores.start_ms + rules.drift_ms, scores.counts, reference)
    state.collecting.add(scores.counts)
    state.scores = None
    return found


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    return _encoder.encode(state)


def decode_state(raw: bytes) -> State:
    return _decoder.decode(raw)
