"""Dead letters: finding them, and putting them back where they came from, each once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas import DeadLetterHeaders, Stage
from streams.kafka import common_settings, error_of, new_consumer, new_producer, persist, producer_settings
from streams.offsets import Place, committed_offsets, end_offsets, first_offsets, places_of
from streams.reader import Read, read_between
from streams.replayed import Marks, Replayed
from streams.settings import Settings
from streams.topology import STAGES, Topics

CHUNK_MESSAGES = 1_000
CHUNK_BYTES = 32 * 1024 * 1024
"""One transaction: large enough that its commit does not count, small enough to end well within its time-out."""

TRANSACTION_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 10.0

_PLACE = re.compile(r"(.+)-(\d{1,9}):(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant: those that match every condition that is set."""

    post_ids: frozenset[bytes] = frozenset()
    places: frozenset[tuple[str, int, int]] = frozenset()
    """Topic, partition and offset of the dead letter itself, or of the message that became one."""
    cause: str | None = None
    stage: str | None = None

    @classmethod
    def of(cls, names: Sequence[str], topics: Topics, cause: str | None = None, stage: str | None = None) -> Selection:
        """From what a person writes: post ids, and `TOPIC-PARTITION:OFFSET` with a topic of ours."""
        post_ids: set[bytes] = set()
        places: set[tuple[str, int, int]] = set()
        for name in names:
            match = _PLACE.fullmatch(name)
            if match and match[1] in topics.all():
                places.add((match[1], int(match[2]), int(match[3])))
            else:
                post_ids.add(name.encode())
        return cls(frozenset(post_ids), frozenset(places), cause, stage)

    def holds(self, letter: Read) -> bool:
        origin = letter.origin
        if self.post_ids or self.places:
            own = (letter.topic, letter.partition, letter.offset)
            came_from = (origin.topic, origin.partition, origin.offset)
            if letter.key not in self.post_ids and own not in self.places and came_from not in self.places:
                return False
        return self.cause in (None, origin.cause) and self.stage in (None, origin.stage)


class DeadLetters:
    """The dead letters that are there now. Raises `TopicsError` when their topic does not exist."""

    def __init__(self, settings: Settings, admin: AdminClient) -> None:
        self._settings = settings
        self.topics = Topics(settings.topics.prefix)
        self._places = places_of(admin, [self.topics.dead_letters])
        self._first = first_offsets(admin, self._places)
        self._end = end_offsets(admin, self._places)
        self._group = f"{settings.group}.dlq"

    def read(self, selection: Selection) -> Iterator[Read]:
        """The selected ones, each partition's in order. Raises KafkaException and TimeoutError."""
        return filter(selection.holds, self._all())

    def replayed(self) -> dict[Place, Replayed]:
        """What was replayed before, by partition."""
        consumer = self._consumer()
        try:
            return self._remembered(consumer)
        finally:
            consumer.close()

    def replay(self, selection: Selection, *, again: bool = False, dry_run: bool = False) -> Replay:
        """Publish the selected ones to the topics that they came from, in transactions that also remember them.

        `again`: also those that were replayed before. `dry_run`: only count. Raises KafkaException and TimeoutError;
        what was counted until then is published, and the rest is not.
        """
        inputs = self.topics.inputs((*STAGES, Stage.RETRY))
        replay = Replay()
        consumer = self._consumer()
        try:
            # Opening it ends a replay that runs elsewhere: what is remembered must be read after that.
            out = None if dry_run else _Transactions(self._settings, self._group, consumer)
            known = self._remembered(consumer)
            marks = {place: Marks(known[place]) for place in self._places}
            for letter in self._all():
                chosen = selection.holds(letter) and replay.takes(
                    letter, inputs, due=again or letter.offset not in known[letter.place]
                )
                marks[letter.place].passed(letter.offset, replayed=chosen)
                if chosen and out is not None:
                    out.add(letter)
                    if out.is_full:
                        out.commit(marks)
            if out is not None:
                out.commit(marks)
        finally:
            consumer.close()
        return replay

    def _all(self) -> Iterator[Read]:
        settings = self._settings
        return read_between(settings.kafka, settings.group, "dlq-read", self._first, self._end)

    def _consumer(self) -> Consumer:
        return new_consumer(
            {**common_settings(self._settings.kafka, "dlq"), "group.id": self._group}, lambda error: None
        )

    def _remembered(self, consumer: Consumer) -> dict[Place, Replayed]:
        found = committed_offsets(consumer, self._places)
        return {place: Replayed.read(entry.offset, entry.metadata) for place, entry in found.items()}


@dataclass(slots=True)
class Replay:
    """What a replay did, or would do."""

    by_topic: Counter[str] = field(default_factory=Counter[str])
    """Topic -> dead letters published to it."""
    before: int = 0
    """Selected, but replayed before."""
    homeless: list[str] = field(default_factory=list[str])
    """Selected, but their header does not name a topic of the chain: the places of these."""

    def takes(self, letter: Read, inputs: Container[str], *, due: bool) -> bool:
        """Count a selected dead letter, and say whether it is to be published."""
        topic = letter.origin.topic
        if topic is None or topic not in inputs:
            self.homeless.append(f"{letter.topic}-{letter.partition}:{letter.offset}")
            return False
        if not due:
            self.before += 1
            return False
        self.by_topic[topic] += 1
        return True


class _Transactions:
    """Publishes dead letters and remembers them, one transaction after the other."""

    def __init__(self, settings: Settings, group: str, consumer: Consumer) -> None:
        self._producer = new_producer(
            {
                **producer_settings(settings.kafka, "dlq"),
                "transactional.id": group,
                "transaction.timeout.ms": int(TRANSACTION_TIMEOUT_S * 1000),
            }
        )
        self._consumer = consumer
        self._letters: list[Read] = []
        self._bytes = 0
        persist(lambda: self._producer.init_transactions(CALL_TIMEOUT_S), TRANSACTION_TIMEOUT_S)

    @property
    def is_full(self) -> bool:
        return len(self._letters) >= CHUNK_MESSAGES or self._bytes >= CHUNK_BYTES

    def add(self, letter: Read) -> None:
        self._letters.append(letter)
        self._bytes += len(letter.value or b"")

    def commit(self, marks: Mapping[Place, Marks]) -> None:
        """Publish what was added, and remember what is marked: both or neither. Raises KafkaException."""
        if not self._letters:
            return
        producer = self._producer
        producer.begin_transaction()
        try:
            for letter in self._letters:
                topic = str(letter.origin.topic)
                producer.produce(topic, letter.value, letter.key, headers=list(restored_headers(letter)))
            done = {place: mark.now() for place, mark in marks.items()}
            offsets = [
                TopicPartition(*place, offset=state.before, metadata=state.to_metadata())
                for place, state in done.items()
            ]
            persist(
                lambda: producer.send_offsets_to_transaction(
                    offsets, self._consumer.consumer_group_metadata(), CALL_TIMEOUT_S
                ),
                TRANSACTION_TIMEOUT_S,
            )
            persist(lambda: producer.commit_transaction(CALL_TIMEOUT_S), TRANSACTION_TIMEOUT_S)
        except KafkaException as failure:
            if error_of(failure).txn_requires_abort():
                producer.abort_transaction(CALL_TIMEOUT_S)
            raise
        self._letters.clear()
        self._bytes = 0


def restored_headers(letter: Read) -> list[tuple[str, bytes]]:
    """The headers of a message that begins anew: those it came with, where it came from, and its first attempt.

    Its origin stays, so that its decision's `source` is the post's first place: a newer version of the post, decided
    meanwhile, still holds.
    """
    origin = letter.origin
    fresh = DeadLetterHeaders(
        attempt=1,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        timestamp_ms=origin.timestamp_ms,
        traceparent=origin.traceparent,
    )
    return fresh.to_headers(letter.headers)


def summary_of(letter: Read) -> dict[str, object]:
    """What a list shows of a dead letter, ready for JSON: its place, its key and our headers."""
    return {
        "place": f"{letter.topic}-{letter.partition}:{letter.offset}",
        "at_ms": letter.timestamp_ms,
        "key": None if letter.key is None else letter.key.decode("utf-8", "replace"),
        "bytes": None if letter.value is None else len(letter.value),
        **msgspec.to_builtins(letter.origin),
    }
