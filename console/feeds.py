"""What the followed topics have said lately, as one state that the page is served from. Used by one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from console.events import DecisionEvent, FlagEvent, Held, LetterEvent, Took
from console.rings import Counts, Ring
from schemas import Action

T = TypeVar("T")

HISTORY_S = 15 * 60
DECIDED_S = 5 * 60
LETTERS_S = 60 * 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions are meant: those that match every condition that is set."""

    action: str | None = None
    flag: str | None = None
    tenant: str | None = None
    lang: str | None = None
    post_id: str | None = None

    def holds(self, row: DecisionEvent) -> bool:
        return (
            self.action in (None, row.action)
            and self.tenant in (None, row.tenant)
            and self.lang in (None, row.lang)
            and self.post_id in (None, row.post_id)
            and (self.flag is None or self.flag in row.flags)
        )


class Feeds:
    """The newest decisions, flags and dead letters, and how many there were."""

    def __init__(self, keep: int, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since the epoch."""
        self._clock = clock
        self._decisions: Ring[Held] = Ring(keep)
        self._flags: Ring[FlagEvent] = Ring(keep)
        self._letters: Ring[LetterEvent] = Ring(keep)
        self._actions: Counts[str] = Counts(HISTORY_S + 1)
        self._causes: Counts[tuple[str, str]] = Counts(LETTERS_S + 1)
        self._counted_since_s: float | None = None

    def begin(self, counted_since_ms: int | None) -> None:
        """Decisions are counted from then on (their messages' timestamps): what was before was not read. None: all that
        there is was read."""
        self._counted_since_s = None if counted_since_ms is None else counted_since_ms / 1000

    def take(self, messages: Iterable[Took]) -> list[DecisionEvent | FlagEvent]:
        """Hold what came; the rows that a live page shows."""
        now_s, rows = int(self._clock()), list[DecisionEvent | FlagEvent]()
        for message in messages:
            match message.row:
                case Held() as held:
                    self._decisions.add(message.key, message.post_id, held)
                    self._actions.add(message.timestamp_ms // 1000, held.row.action, now_s)
                    rows.append(held.row)
                case FlagEvent() as row:
                    self._flags.add(message.key, message.post_id, row)
                    rows.append(row)
                case LetterEvent() as row:
                    self._letters.add(message.key, message.post_id, row)
                    kind = (row.stage or "unknown", row.cause or "unknown")
                    self._causes.add(message.timestamp_ms // 1000, kind, now_s)
                case None:
                    if message.deleted:
                        self._decisions.drop_post(message.post_id)
                        self._flags.drop_post(message.post_id)
        return rows

    def decisions(self, wanted: Wanted, limit: int) -> list[DecisionEvent]:
        """The newest first."""
        return [held.row for held in _first(self._decisions.newest(), lambda held: wanted.holds(held.row), limit)]

    def flags(self, limit: int) -> list[FlagEvent]:
        """The newest first."""
        return _first(self._flags.newest(), lambda row: True, limit)

    def decision_of(self, post_id: str) -> Held | None:
        """The decision that holds for a post; None where none is held here, though an older one may be in its topic."""
        return max(self._decisions.of_post(post_id), key=lambda held: held.order, default=None)

    def letters(self, stage: str | None, cause: str | None, limit: int) -> tuple[list[LetterEvent], int]:
        """The newest first, and how many match of all that are held."""
        matching = [row for row in self._letters.newest() if stage in (None, row.stage) and cause in (None, row.cause)]
        return matching[:limit], len(matching)

    def actions_lately(self) -> tuple[Mapping[str, int], int]:
        """Decisions by action of the last five minutes, and of how many seconds that is: fewer where not all of them
        were read."""
        now_s = int(self._clock())
        since_s = max(now_s - DECIDED_S, self._whole_since_s())
        found = self._actions.total(since_s, now_s + 1)
        return {action: found.get(action, 0) for action in Action}, min(DECIDED_S, now_s + 1 - since_s)

    def actions_at(self, at_s: int) -> Mapping[str, int] | None:
        """Decisions by action of one second; None for one that was not read, or not wholly."""
        if at_s < self._whole_since_s():
            return None
        found = self._actions.second(at_s)
        return {action: found.get(action, 0) for action in Action}

    def causes_lately(self) -> list[tuple[str, str, int]]:
        """(stage, cause, count) of the dead letters of the last hour, the most first."""
        now_s = int(self._clock())
        found = self._causes.total(now_s - LETTERS_S, now_s + 1)
        rows = [(stage, cause, count) for (stage, cause), count in found.items()]
        return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))

    def _whole_since_s(self) -> int:
        return 0 if self._counted_since_s is None else int(self._counted_since_s) + 1


def _first(values: Iterator[T], takes: Callable[[T], bool], limit: int) -> list[T]:
    found: list[T] = []
    for value in values:
        if len(found) >= limit:
            break
        if takes(value):
            found.append(value)
    return found
