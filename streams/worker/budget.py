"""How much may come in: each lane has a budget of what is under way, and only the lane that is full stops being read.

One client reads all lanes, and what it has fetched comes in one row. So a lane that is full is paused: the client then
throws away what it has fetched of it, and what the other lanes have comes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from streams.topology import LONG
from streams.worker.ledger import Ledger, PartitionLedger, TopicPartitionKey
from streams.worker.pauses import Pauses, Why

LOW = 0.5
"""Of the budget: a lane that was paused goes on below this. So a pause pays for what is then fetched again."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be under way in a lane: taken in and not yet committed."""

    records: int
    bytes: int
    """Of the messages."""
    grace_s: float
    """How long the lane may be up against its budget before it is paused. While it is full in that time, nothing is
    read at all."""


class Budgets:
    """The lanes that are full. Used by the consumer thread alone.

    Long media are few and each of them takes minutes: their budget is exact, and a message beyond it is turned back.
    The budgets of the others may be passed by what one poll brings along.
    """

    def __init__(
        self,
        budgets: Mapping[str, Budget],
        ledger: Ledger,
        pauses: Pauses,
        seek: Callable[[TopicPartitionKey, int], None],
    ) -> None:
        """`seek` makes a partition be read again from an offset."""
        self._budgets = budgets
        self._ledger = ledger
        self._pauses = pauses
        self._seek = seek
        self._full_since_s: dict[str, float] = {}
        self._paused: set[str] = set()

    def room(self, now_s: float, *, most: int | None = None, closed: Collection[str] = ()) -> int:
        """How many messages may be read now; 0: none yet, wait. `most`: records that may be under way in all lanes;
        `closed`: lanes that are full whatever their budget.

        Pauses the lanes that are full, and lets those go on that are so no more. With all of them paused there is room
        for one, since the client must be polled.
        """
        rooms: list[int] = []
        waits = False
        for lane, budget in self._budgets.items():
            room = 0 if lane in closed else self._room(lane)
            if most is not None:
                room = min(room, max(0, most - self._ledger.records))
            if room == 0:
                self._full_since_s.setdefault(lane, now_s)
            elif self._is_low(lane):
                self._go_on(lane)
            since_s = self._full_since_s.get(lane, now_s)
            if lane in self._paused or (lane in self._full_since_s and now_s - since_s >= budget.grace_s):
                self._pause(lane)
            elif room == 0:
                waits = True
            elif lane != LONG or len(self._budgets) == 1:  # a surplus of long media is turned back, and slows no poll
                rooms.append(room)
        return 0 if waits else min(rooms, default=1)

    def turns_back(self, home: PartitionLedger, offset: int) -> bool:
        """Whether there is no room for a message of the long lane; then it is read again once there is."""
        if home.lane != LONG or (LONG not in self._paused and self._room(LONG) > 0):
            return False
        self._pause(LONG)
        if home.held_at is None:  # else it lies behind one that was turned back
            home.held_at = offset
            self._seek((home.topic, home.partition), offset)
        return True

    def forget(self) -> None:
        """Everything is read anew."""
        for lane in self._budgets:
            self._go_on(lane)

    def _room(self, lane: str) -> int:
        budget, load = self._budgets[lane], self._ledger.loads[lane]
        return 0 if load.bytes >= budget.bytes else max(0, budget.records - load.records)

    def _is_low(self, lane: str) -> bool:
        budget, load = self._budgets[lane], self._ledger.loads[lane]
        return load.records <= budget.records * LOW and load.bytes <= budget.bytes * LOW

    def _pause(self, lane: str) -> None:
        """Also those of its partitions that have come since."""
        self._paused.add(lane)
        self._pauses.hold(Why.BUDGET, self._ledger.of_lane(lane))

    def _go_on(self, lane: str) -> None:
        self._full_since_s.pop(lane, None)
        if lane not in self._paused:
            return
        self._paused.discard(lane)
        homes = self._ledger.of_lane(lane)
        if lane == LONG:
            for key in homes:
                self._ledger.partitions[key].held_at = None
        self._pauses.lift(Why.BUDGET, homes)
