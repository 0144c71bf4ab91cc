"""What became of published messages: each is found again by its place, and nothing may be missing or doubled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas import Decision, decode_decision
from streams.publish import Delivered
from streams.reader import Read
from streams.topology import Topics

Origin = tuple[str, int, int]
"""Topic, partition and offset of a published message."""


@dataclass(slots=True)
class Outcomes:
    """Collects the outcomes of these messages: decisions, dead letters and, for deletes, tombstones."""

    topics: Topics
    waiting: set[Origin] = field(default_factory=set[Origin])
    """Published, and not yet answered."""
    deletes: dict[bytes, Origin] = field(default_factory=dict[bytes, Origin])
    """Key of a deleted post -> the delete."""
    decisions: dict[Origin, Decision] = field(default_factory=dict[Origin, Decision])
    dead: dict[Origin, Read] = field(default_factory=dict[Origin, Read])
    doubled: list[Origin] = field(default_factory=list[Origin])

    def expect(self, published: Iterable[Delivered], deleted: Iterable[tuple[str, Delivered]] = ()) -> None:
        """These messages must be answered."""
        self.waiting |= {origin_of(delivered) for delivered in published}
        for post_id, delivered in deleted:
            self.deletes[post_id.encode()] = origin_of(delivered)
            self.waiting.add(origin_of(delivered))

    def take(self, message: Read) -> None:
        """A message of the decisions or of the dead letters; those of others are passed over."""
        if message.topic == self.topics.dead_letters:
            headers = message.origin
            if headers.topic is not None and headers.partition is not None and headers.offset is not None:
                self._answer((headers.topic, headers.partition, headers.offset), dead=message)
        elif message.value is None:
            origin = self.deletes.get(message.key or b"")
            if origin is not None:
                self.waiting.discard(origin)  # the second tombstone comes minutes later
        else:
            decision = decode_decision(message.value)
            source = decision.source
            self._answer((source.topic, source.partition, source.offset), decision=decision)

    def _answer(self, origin: Origin, *, decision: Decision | None = None, dead: Read | None = None) -> None:
        if origin in self.decisions or origin in self.dead:
            self.doubled.append(origin)
        elif origin in self.waiting:
            self.waiting.discard(origin)
            if decision is not None:
                self.decisions[origin] = decision
            if dead is not None:
                self.dead[origin] = dead


def origin_of(delivered: Delivered) -> Origin:
    return delivered.topic, delivered.partition, delivered.offset
