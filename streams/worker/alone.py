"""Messages that were under way in several crashes run alone, so that the next crash tells which of them it was.

One at a time, and with nothing beside it on its own side: short posts of all lanes are one, long media the other. What
the other side has under way was there in fewer crashes, or it would be waiting here too. It goes on, since a recording
takes minutes, and no short post may wait for that: nor may a short suspect for a long one that runs already (of a crash
while both do, the journal says that it was the short one, which is there for a moment).
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.topology import LANES, LONG
from streams.worker.batcher import Work
from streams.worker.ledger import Ticket


class _Side:
    """Short posts, or long media."""

    def __init__(self) -> None:
        self.under_way = 0
        self.running: Work | None = None
        self.waiting: list[Work] = []

    @property
    def suspect(self) -> Work | None:
        """The one that runs, or is the next."""
        while self.waiting and self.waiting[0].ticket.home.forgotten:
            self.waiting.pop(0)
        return self.running or (self.waiting[0] if self.waiting else None)

    def next(self) -> Work | None:
        if self.suspect is None or self.running is not None or self.under_way:
            return None
        self.running = self.waiting.pop(0)
        self.under_way = 1
        return self.running

    def end(self, tickets: Sequence[Ticket]) -> None:
        self.under_way -= len(tickets)
        if self.running is not None and self.running.ticket in tickets:
            self.running = None


class Alone:
    """Counts what the stages have under way, and says when a suspect may run. Used by the consumer thread alone."""

    def __init__(self) -> None:
        self._short = _Side()
        self._long = _Side()

    @property
    def under_way(self) -> int:
        """Works given to the stages and not come back."""
        return self._short.under_way + self._long.under_way

    @property
    def closed(self) -> tuple[str, ...]:
        """The lanes of which nothing more may come in: those of a suspect that runs, or is the next of its side."""
        return tuple(lane for lane in LANES if self._side(lane).suspect is not None)

    def begin(self, lane: str, works: Sequence[Work]) -> None:
        """Works of a lane are given to the stages."""
        self._side(lane).under_way += len(works)

    def end(self, tickets: Sequence[Ticket]) -> None:
        """These have come back."""
        self._long.end([ticket for ticket in tickets if ticket.home.lane == LONG])
        self._short.end([ticket for ticket in tickets if ticket.home.lane != LONG])

    def wait(self, suspect: Work) -> None:
        """It runs once nothing is beside it; a long one when there is no short one."""
        self._side(suspect.lane).waiting.append(suspect)

    def next(self) -> Work | None:
        """The suspect that may run now; it counts as begun."""
        return self._long.next() if self._short.suspect is None else self._short.next()

    def forget(self) -> None:
        """Everything is read anew: those that wait will come again."""
        self._short.waiting.clear()
        self._long.waiting.clear()

    def _side(self, lane: str) -> _Side:
        return self._long if lane == LONG else self._short
