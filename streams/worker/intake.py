"""From a message to work: decode it for the stage that its topic feeds. Pure."""

from __future__ import annotations

import hashlib

from schemas import (
    Cause,
    DeadLetterHeaders,
    InvalidPost,
    InvalidRecord,
    Record,
    Source,
    Stage,
    decode_post,
    decode_record,
)
from streams.topology import STAGES
from streams.worker.ledger import Output
from streams.worker.outcomes import Outcomes, Received


def take_in(message: Received, stage: Stage, outcomes: Outcomes, now_ms: int) -> Record | list[Output]:
    """The record that the message holds, or what is produced for it at once: tombstones of a deleted post, or the dead
    letter of a message that is no post or no record.

    Raises `NewerVersion` for a record that is for a later version of modstream.
    """
    if stage is Stage.INGEST:
        return _post(message, outcomes, now_ms)
    try:
        if message.value is None:
            raise InvalidRecord("an empty value, expected a record")
        return decode_record(message.value)
    except InvalidRecord as error:
        return [outcomes.dead_letter(message, stage, Cause.INVALID_RECORD, str(error), None, 1)]


def _post(message: Received, outcomes: Outcomes, now_ms: int) -> Record | list[Output]:
    source, attempt = _origin(message)
    if message.value is None:
        if message.key:
            return outcomes.tombstones(message, attempt, now_ms)
        reason = "a delete (null value) without a key, expected the post's id"
        return [outcomes.dead_letter(message, Stage.INGEST, Cause.INVALID_POST, reason, "key", attempt)]
    try:
        post = decode_post(message.value)
    except InvalidPost as error:
        return [outcomes.dead_letter(message, Stage.INGEST, Cause.INVALID_POST, error.reason, error.field, attempt)]
    return Record(
        post=post,
        source=source,
        content_hash=hashlib.sha256(message.value).hexdigest(),
        received_ms=now_ms,
        route=STAGES,
        attempt=attempt,
    )


def _origin(message: Received) -> tuple[Source, int]:
    """Where the post was first published, also when it comes back from a retry: a decision's `source` orders it."""
    if message.headers:
        headers = DeadLetterHeaders.from_headers(message.headers)
        if (
            headers.attempt is not None
            and headers.topic is not None
            and headers.partition is not None
            and headers.offset is not None
        ):
            timestamp_ms = message.timestamp_ms if headers.timestamp_ms is None else headers.timestamp_ms
            source = Source(
                topic=headers.topic, partition=headers.partition, offset=headers.offset, timestamp_ms=timestamp_ms
            )
            return source, max(1, headers.attempt)
    return (
        Source(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=message.timestamp_ms,
        ),
        1,
    )
