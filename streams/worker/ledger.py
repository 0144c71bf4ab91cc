"""What is under way: a queue of tickets per partition. Pure bookkeeping, used by the consumer thread alone.

Only the contiguous finished prefix of a partition may leave: nothing is committed past an unfinished message, and
outputs keep the order of their inputs. Outputs stay here until a commit has succeeded, so an aborted transaction can
be sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.metrics import PostKind
from streams.topology import STANDARD

Header = tuple[str, str | bytes | None]
Headers = Sequence[Header]


class Output(NamedTuple):
    """A message to be produced. `value` None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


TopicPartitionKey = tuple[str, int]


class Decided(NamedTuple):
    """What the metrics say of a decided post, once its commit has succeeded."""

    lane: str
    published_ms: int
    action: str
    tenant: str
    lang: str | None
    region: str | None
    kind: PostKind = "text"
    confidence: float | None = None
    modalities: tuple[tuple[str, float], ...] = ()
    """(modality, confidence) of those that an expert judged."""


class Ticket:
    """One message under way. Stage threads `begin` it, and finish it through the completion queue only."""

    __slots__ = ("admitted_s", "began_s", "decided", "home", "message", "offset", "outputs", "size")

    def __init__(self, home: PartitionLedger, offset: int, size: int, admitted_s: float, message: Any) -> None:
        self.home = home
        self.offset = offset
        self.size = size
        self.admitted_s = admitted_s
        self.message = message
        self.began_s: float | None = None
        self.outputs: list[Output] | None = None  # None: not finished
        self.decided: Decided | None = None

    def begin(self, now_s: float) -> None:
        """A stage begins on it: the first one, or one more. `now_s` by the clock of `admitted_s`."""
        if self.began_s is None:
            self.began_s = now_s

    @property
    def started(self) -> bool:
        return self.began_s is not None

    @property
    def finished(self) -> bool:
        return self.outputs is not None

    @property
    def unwanted(self) -> bool:
        """Whether no stage should begin on it: somebody does it anew, or will if it has not begun."""
        return self.home.forgotten or (self.home.revoked and not self.started)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What may leave one partition: its first `count` tickets, and the offset to commit once their outputs are out."""

    home: PartitionLedger
    count: int
    next_offset: int

    def tickets(self) -> Iterator[Ticket]:
        for at, ticket in enumerate(self.home.tickets):
            if at == self.count:
                return
            yield ticket

    def outputs(self) -> Iterator[Output]:
        for ticket in self.tickets():
            yield from ticket.outputs or ()


@dataclass(eq=False, slots=True)
class PartitionLedger:
    """The tickets of one partition in the order of their offsets.

    `revoked` is set when the partition is being given up: stages then skip its tickets that they have not begun.
    `forgotten` is set when it is gone: no stage begins on it any more, and whatever still comes back for it is ignored.
    `blocked` is set when its next message is for a later version of modstream: nothing more is taken from it.
    """

    topic: str
    partition: int
    lane: str = STANDARD
    tickets: deque[Ticket] = field(default_factory=deque[Ticket])
    committed: int | None = None
    position: int | None = None
    """Where reading goes on: past the last ticket, and past transaction markers once the partition's end was seen."""
    revoked: bool = False
    blocked: bool = False
    held_at: int | None = None
    """The message from which reading goes on, after it had been read and was not taken (a retry that is not due, or no
    room in its lane)."""
    forgotten: bool = False
    done: int = 0
    """How many tickets at the front are known to be finished (the others may be, too)."""

    def admit(self, offset: int, size: int, now_s: float, message: Any) -> Ticket:
        """A ticket for the message at `offset`, which must be past all before it."""
        if self.position is not None and offset < self.position:
            raise ValueError(f"{self.topic}[{self.partition}]: offset {offset} after position {self.position}")
        ticket = Ticket(self, offset, size, now_s, message)
        self.tickets.append(ticket)
        self.position = offset + 1
        self.held_at = None
        return ticket

    def reached_end(self, offset: int) -> None:
        """The partition's end is at `offset`: everything before it that is no ticket is transaction markers.

        Not so where a message was read and not taken: its end, seen in the same breath, lies behind what is to be read
        again.
        """
        if self.blocked or self.held_at is not None:
            return
        if self.position is None or offset > self.position:
            self.position = offset

    def prefix(self) -> Prefix | None:
        """What may leave now, or None if nothing has changed since the last commit."""
        tickets = self.tickets
        total = len(tickets)
        done = self.done
        while done < total and tickets[done].outputs is not None:
            done += 1
        self.done = done
        next_offset = self.position if done == total else tickets[done].offset
        if next_offset is None or (done == 0 and next_offset == self.committed):
            return None
        if done == 0 and total > 0:
            # Only markers before an unfinished ticket: not worth a commit of its own.
            return None
        return Prefix(self, done, next_offset)

    def release(self, prefix: Prefix) -> list[Ticket]:
        """Forget the tickets of a prefix whose commit has succeeded."""
        gone = [self.tickets.popleft() for _ in range(prefix.count)]
        self.done -= prefix.count
        self.committed = prefix.next_offset
        return gone


@dataclass(slots=True)
class Load:
    """What is under way in a lane."""

    records: int = 0
    bytes: int = 0


class Ledger:
    """All partitions of a worker, with what is under way in each lane."""

    def __init__(self, lanes: Mapping[str, str]) -> None:
        """`lanes`: topic -> its lane."""
        self.partitions: dict[TopicPartitionKey, PartitionLedger] = {}
        self.loads = {lane: Load() for lane in lanes.values()}
        self._lanes = lanes

    @property
    def records(self) -> int:
        return sum(load.records for load in self.loads.values())

    def open(self, topic: str, partition: int) -> PartitionLedger:
        """Start a partition afresh."""
        self.forget([(topic, partition)])
        home = self.partitions[topic, partition] = PartitionLedger(topic, partition, self._lanes[topic])
        return home

    def of_lane(self, lane: str) -> list[TopicPartitionKey]:
        """The partitions of a lane."""
        return [key for key, home in self.partitions.items() if home.lane == lane]

    def admit(self, home: PartitionLedger, offset: int, size: int, now_s: float, message: Any) -> Ticket:
        ticket = home.admit(offset, size, now_s, message)
        load = self.loads[home.lane]
        load.records += 1
        load.bytes += size
        return ticket

    def prefixes(self) -> list[Prefix]:
        """What may leave now, over all partitions."""
        return [prefix for home in self.partitions.values() if (prefix := home.prefix()) is not None]

    def release(self, prefixes: Iterable[Prefix]) -> list[Ticket]:
        """Forget what a successful commit covered; returns its tickets."""
        gone: list[Ticket] = []
        for prefix in prefixes:
            if not prefix.home.forgotten:
                released = prefix.home.release(prefix)
                self._unload(prefix.home, released)
                gone += released
        return gone

    def forget(self, keys: Iterable[TopicPartitionKey]) -> None:
        """Drop partitions with all their tickets, finished or not: another member does them again."""
        for key in keys:
            home = self.partitions.pop(key, None)
            if home is not None:
                home.forgotten = home.revoked = True
                self._unload(home, home.tickets)

    def oldest_s(self, lane: str | None = None) -> float | None:
        """Since when the oldest ticket (of a lane) is in work; None if nothing is under way.

        What waits for its turn does so since the last one of its topic began: only where none begins does it hang. The
        first of each partition are looked at; those behind them began later.
        """
        homes = [home for home in self.partitions.values() if home.tickets and lane in (None, home.lane)]
        turns_s: dict[str, float] = {}
        for home in homes:
            began_s = home.tickets[0].began_s
            if began_s is not None:
                turns_s[home.topic] = max(began_s, turns_s.get(home.topic, began_s))
        return min((_since_s(home.tickets[0], turns_s.get(home.topic)) for home in homes), default=None)

    def _unload(self, home: PartitionLedger, gone: Collection[Ticket]) -> None:
        load = self.loads[home.lane]
        load.records -= len(gone)
        load.bytes -= sum(ticket.size for ticket in gone)


def _since_s(ticket: Ticket, turn_s: float | None) -> float:
    if ticket.began_s is not None:
        return ticket.began_s
    return ticket.admitted_s if turn_s is None else max(ticket.admitted_s, turn_s)
