"""Messages that were under way in several crashes run alone, so that the next crash tells which of them it was.

One at a time, and with nothing beside it on its own side: short posts of all lanes are one, long media the other. What
the other side has under way was there in fewer crashes, or it would be waiting here too. It goes on, since a recording
takes minutes, and no short post may wait for that.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.topology import LANES, LONG
from streams.worker.batcher import Work
from streams.worker.ledger import Ticket


class Alone:
    """Counts what the stages have under way, and says when a suspect may run. Used by the consumer thread alone."""

    def __init__(self) -> None:
        self._waiting: list[Work] = []
        self._running: Work | None = None
        self._short = 0
        self._long = 0

    @property
    def under_way(self) -> int:
        """Works given to the stages and not come back."""
        return self._short + self._long

    @property
    def closed(self) -> tuple[str, ...]:
        """The lanes of which nothing more may come in: those of the suspect that runs, or is the next."""
        suspect = self._running or (self._waiting[0] if self._waiting else None)
        return () if suspect is None else tuple(lane for lane in LANES if _is_long(lane) == _is_long(suspect.lane))

    def begin(self, lane: str, works: Sequence[Work]) -> None:
        """Works of a lane are given to the stages."""
        if _is_long(lane):
            self._long += len(works)
        else:
            self._short += len(works)

    def end(self, tickets: Sequence[Ticket]) -> None:
        """These have come back."""
        long = sum(ticket.home.lane == LONG for ticket in tickets)
        self._long -= long
        self._short -= len(tickets) - long
        if self._running is not None and self._running.ticket in tickets:
            self._running = None

    def wait(self, suspect: Work) -> None:
        """It runs once nothing is beside it; a long one when no short one waits."""
        self._waiting.append(suspect)
        self._waiting.sort(key=lambda work: _is_long(work.lane))

    def next(self) -> Work | None:
        """The suspect that may run now; it counts as begun."""
        while self._waiting and self._waiting[0].ticket.home.forgotten:
            self._waiting.pop(0)
        if not self._waiting or self._running is not None:
            return None
        if self._long if _is_long(self._waiting[0].lane) else self._short:
            return None
        self._running = self._waiting.pop(0)
        self.begin(self._running.lane, [self._running])
        return self._running

    def forget(self) -> None:
        """Everything is read anew: those that wait will come again."""
        self._waiting.clear()


def _is_long(lane: str) -> bool:
    return lane == LONG
