"""From what became of a message to what is produced for it. Pure: no Kafka, no clock of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from processors.canary import is_canarys
from processors.contract import ProcessingError
from processors.fuse.messages import decision_messages
from schemas import (
    MAX_MESSAGE_BYTES,
    Cause,
    DeadLetterHeaders,
    Post,
    Record,
    Source,
    Stage,
    encode_record,
)
from schemas import Versions as DecisionVersions
from streams.topology import RETRY_DELAYS_S, STAGES, Topics
from streams.worker.ledger import Header, Headers, Output

OUR_FAILURES = frozenset({Cause.POISON, Cause.RETRIES_EXHAUSTED})
"""What the failure-rate pause counts: never an invalid post, or senders could stop us."""

WAITING_STAGES = (Stage.FETCH, Stage.OCR, Stage.ASR, Stage.ENCODE)
"""Those that need what may be away (servers, the media store). In a process of its own, each counts its tries anew."""

MAX_KEY_BYTES = 16 * 1024
MAX_FOREIGN_BYTES = 32 * 1024
"""What is kept of a message's key, and of its headers that are not ours. A broker's limits are on compressed batches,
so that a message can be of any size; one that we could not produce again would abort every transaction, for ever."""
HEADER_BYTES = 8
"""At most what a header of such a size takes beside its name and value."""

_DELAYS = tuple(RETRY_DELAYS_S.items())


class Received(NamedTuple):
    """A message as it came."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """What ran, for dead letters."""

    code: str
    pack: str | None
    policy: str | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Builds the outputs of a ticket."""

    topics: Topics
    versions: Versions
    max_retries: int
    """Times a message may go through the retry topics: each delay once, then the longest again."""
    canary: Versions | None = None
    """What runs beside `versions`, for some of the posts."""

    def crossing(self, record: Record, stage: Stage, lane: str, headers: Headers | None) -> Output:
        """The record, for a stage whose topic it crosses, with the headers of its trace.

        Tries are counted for each topic anew: what a stage used up is not taken from those after it.
        Raises ProcessingError (`too_large`) when a topic cannot hold it.
        """
        value = encode_record(record if record.attempt == 1 else replace(record, attempt=1))
        if len(value) > MAX_MESSAGE_BYTES:
            reason = f"the record for {stage} has {len(value):,} bytes, expected at most {MAX_MESSAGE_BYTES:,}"
            raise ProcessingError(Cause.TOO_LARGE, reason)
        return Output(self.topics.stage(stage, lane), record.post.post_id.encode(), value, headers)

    def dead_letter(
        self,
        message: Received,
        stage: Stage,
        cause: str,
        reason: str,
        field: str | None = None,
        attempt: int = 1,
        trace: str | None = None,
        *,
        by_canary: bool = False,
    ) -> Output:
        """The original bytes with everything an operator needs to judge and to replay them; of a message that no topic
        can hold, their beginning."""
        value = message.value
        if value is not None and len(value) > MAX_MESSAGE_BYTES:
            reason = f"{reason} (only the first {MAX_MESSAGE_BYTES:,} of its {len(value):,} bytes are kept here)"
            value = value[:MAX_MESSAGE_BYTES]
        ours = self._headers(
            message, stage, cause, reason, field=field, attempt=attempt, trace=trace, by_canary=by_canary
        )
        return Output(self.topics.dead_letters, _key(message), value, ours)

    def decided(self, record: Record, headers: Headers | None) -> list[Output]:
        """The messages of a record at the end of its route; none for a post that was deleted.

        Raises ProcessingError (`too_large`) when a topic cannot hold them.
        """
        if record.deleted:
            return []
        key = record.post.post_id.encode()
        messages = decision_messages(record)
        return [
            Output(self.topics.decisions, key, messages.decision, headers),
            Output(self.topics.confidence, key, messages.confidence, headers),
            *(Output(self.topics.flags, key, flag, headers) for flag in messages.flags),
        ]

    def is_canarys(self, record: Record) -> bool:
        """Whether the canary has judged it, or made what there is to judge."""
        if self.canary is None:
            return False
        if record.decision is not None:
            # A canary that is what is live, as after a promotion, is no other judge.
            return _judge(record.decision.versions) == _judge(self.canary) != _judge(self.versions)
        return is_canarys(record)

    def knows(self, record: Record) -> bool:
        """Whether the canary that made a record's windows is the one that runs here."""
        return self.canary is not None and record.judge == f"{self.canary.pack} {self.canary.policy}"

    def retry_or_give_up(
        self,
        message: Received,
        stage: Stage,
        input_stage: Stage,
        reason: str,
        attempt: int,
        now_ms: int,
        trace: str | None = None,
        *,
        by_canary: bool = False,
    ) -> Output:
        """A later try of a message whose attempt number `attempt` failed for a passing reason, or its dead letter.

        The bytes go back as received, so the header names the stage whose topic they came from; the reason names the
        stage that failed.
        """
        if attempt > self.max_retries:
            why = f"{reason} ({attempt} attempts)"
            cause = Cause.RETRIES_EXHAUSTED
            return self.dead_letter(message, stage, cause, why, None, attempt, trace, by_canary=by_canary)
        delay, seconds = _DELAYS[min(attempt, len(_DELAYS)) - 1]
        headers = self._headers(
            message,
            input_stage,
            Cause.TRANSIENT,
            f"{stage}: {reason}",
            attempt=attempt + 1,
            not_before_ms=now_ms + int(seconds * 1000),
            trace=trace,
            by_canary=by_canary,
        )
        return Output(self.topics.retry(delay), _key(message), message.value, headers)

    @property
    def longest_retry_s(self) -> float:
        """How long a message may be on its way through the retry topics, all its attempts at all stages together."""
        delays = [_DELAYS[min(attempt, len(_DELAYS)) - 1][1] for attempt in range(1, self.max_retries + 1)]
        return len(WAITING_STAGES) * sum(delays)

    def tombstones(self, message: Received, post_id: str, lane: str, attempt: int, now_ms: int) -> list[Output]:
        """What a deleted post leaves: no decision and no media now, nor after the last retry of a version of it that
        waits for one.

        Each round through the longest delay leaves one more tombstone, until no earlier version can come any more.
        There is one round in any case: a version whose media were on their way is decided after the first tombstone.
        """
        deleted = Record(
            post=Post(post_id=post_id),
            source=self.origin(message),
            content_hash="",
            received_ms=now_ms,
            route=(Stage.FETCH,),
            deleted=True,
        )
        gone = [Output(self.topics.decisions, message.key, None), self.crossing(deleted, Stage.FETCH, lane, None)]
        delay, seconds = _DELAYS[-1]
        if attempt > max(1, math.ceil(self.longest_retry_s / seconds)):
            return gone
        not_before_ms = now_ms + int(seconds * 1000)
        headers = self._headers(message, Stage.INGEST, None, None, attempt=attempt + 1, not_before_ms=not_before_ms)
        return [*gone, Output(self.topics.retry(delay), message.key, None, headers)]

    def republished(self, message: Received) -> Output | None:
        """A retry that is due, back on the topic it came from; None if its header names no stage of the chain."""
        headers = DeadLetterHeaders.from_headers(message.headers)
        inputs = self.topics.inputs(STAGES)
        topic = headers.topic
        if topic is None or inputs.get(topic, (None, ""))[0] != headers.stage:
            known = {stage.value: name for name, (stage, _) in reversed(inputs.items())}
            topic = known.get(headers.stage or "")
        if topic is None:
            return None
        return Output(topic, message.key, message.value, list(message.headers))

    def origin(self, message: Received) -> Source:
        """Where a message was first published, also when it comes back from a retry: a decision's `source` orders it.

        Headers that a sender made up are not believed: a retry comes back to the topic that it came from.
        """
        here = Source(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=message.timestamp_ms,
        )
        if not message.headers:
            return here
        first = DeadLetterHeaders.from_headers(message.headers)
        if (
            first.attempt is None
            or first.topic is None
            or (first.topic != message.topic and message.topic not in self.topics.retries())
            or first.partition is None
            or first.partition < 0
            or first.offset is None
            or first.offset < 0
        ):
            return here
        timestamp_ms = message.timestamp_ms if first.timestamp_ms is None else first.timestamp_ms
        return Source(topic=first.topic, partition=first.partition, offset=first.offset, timestamp_ms=timestamp_ms)

    def attempt(self, message: Received) -> int:
        """The number of this try, from 1."""
        return max(1, DeadLetterHeaders.from_headers(message.headers).attempt or 1) if message.headers else 1

    def _headers(
        self,
        message: Received,
        stage: Stage,
        cause: str | None,
        reason: str | None,
        *,
        field: str | None = None,
        attempt: int | None = None,
        not_before_ms: int | None = None,
        trace: str | None = None,
        by_canary: bool = False,
    ) -> Headers:
        ran = self.canary if by_canary and self.canary is not None else self.versions
        origin = self.origin(message)
        size = sum(len(name) + len(value or b"") + HEADER_BYTES for name, value in message.headers)
        return DeadLetterHeaders(
            stage=stage.value,
            cause=cause,
            reason=reason,
            field=field,
            attempt=attempt,
            not_before_ms=not_before_ms,
            topic=origin.topic,
            partition=origin.partition,
            offset=origin.offset,
            timestamp_ms=origin.timestamp_ms,
            code=ran.code,
            pack=ran.pack,
            policy=ran.policy,
            traceparent=trace or DeadLetterHeaders.from_headers(message.headers).traceparent,
        ).to_headers(message.headers if size <= MAX_FOREIGN_BYTES else ())


def _key(message: Received) -> bytes | None:
    return message.key[:MAX_KEY_BYTES] if message.key else message.key


def _judge(versions: Versions | DecisionVersions) -> tuple[str | None, str | None]:
    """Pack and policy."""
    return versions.pack, versions.policy
