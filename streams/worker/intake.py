"""From a message to work: decode it for the stage that its topic feeds. Pure."""

from __future__ import annotations

import hashlib

from confluent_kafka import Message
from msgspec.structs import replace

from processors.canary import is_canarys, taken_back
from schemas import MAX_ID_BYTES, Cause, InvalidPost, InvalidRecord, Record, Stage, decode_post, decode_record
from schemas.dead_letter import HEADER_PREFIX
from streams.topology import STAGES, lane_of
from streams.worker.ledger import Output
from streams.worker.outcomes import Outcomes, Received


def received_of(message: Message) -> Received:
    """A message of the client's, which is none of its errors, as it came."""
    kind_and_time = message.timestamp()
    return Received(
        message.topic(),  # type: ignore[arg-type]
        message.partition(),  # type: ignore[arg-type]
        message.offset(),  # type: ignore[arg-type]
        kind_and_time[1],
        message.key(),  # type: ignore[arg-type]
        message.value(),  # type: ignore[arg-type]
        message.headers() or (),  # type: ignore[arg-type]
    )


def take_in(message: Received, stage: Stage, lane: str, outcomes: Outcomes, now_ms: int) -> Record | list[Output]:
    """The record that the message holds, or what is produced for it at once: tombstones of a deleted post, or the dead
    letter of a message that is no post or no record, or the way back of one that only a canary's pack could judge.

    Raises `NewerVersion` for a record that is for a later version of modstream.
    """
    attempt = outcomes.attempt(message)
    if stage is Stage.INGEST:
        return _post(message, lane, outcomes, now_ms, attempt)
    try:
        if message.value is None:
            raise InvalidRecord("an empty value, expected a record")
        record = decode_record(message.value)
        if stage not in record.route:
            raise InvalidRecord(f"the record's route ({' '.join(record.route)}) does not lead to {stage}")
    except InvalidRecord as error:
        return [outcomes.dead_letter(message, stage, Cause.INVALID_RECORD, str(error), None, attempt)]
    if is_canarys(record) and not outcomes.knows(record):
        back = taken_back(record, "its windows are those of a pack that this worker does not have")
        # It begins anew: what is said of earlier attempts stays behind, and its trace goes on.
        headers = [header for header in message.headers if not header[0].startswith(HEADER_PREFIX)]
        return [outcomes.crossing(back.record, back.stage, lane_of(record.post.priority), headers)]
    # A retry comes back with the bytes as they were: only its header knows how often it has been tried.
    return replace(record, attempt=attempt) if attempt > record.attempt else record


def _post(message: Received, lane: str, outcomes: Outcomes, now_ms: int, attempt: int) -> Record | list[Output]:
    if message.value is None:
        try:
            return outcomes.tombstones(message, _post_id(message.key), lane, attempt, now_ms)
        except ValueError as error:
            reason = f"a delete (null value) {error}, expected the post's id"
            return [outcomes.dead_letter(message, Stage.INGEST, Cause.INVALID_POST, reason, "key", attempt)]
    try:
        post = decode_post(message.value)
    except InvalidPost as error:
        return [outcomes.dead_letter(message, Stage.INGEST, Cause.INVALID_POST, error.reason, error.field, attempt)]
    return Record(
        post=post,
        source=outcomes.origin(message),
        content_hash=hashlib.sha256(message.value).hexdigest(),
        received_ms=now_ms,
        route=STAGES,
        attempt=attempt,
    )


def _post_id(key: bytes | None) -> str:
    """Raises ValueError for a key that is no post's id."""
    if not key:
        raise ValueError("without a key")
    if len(key) > MAX_ID_BYTES:
        raise ValueError(f"with a key of {len(key):,} bytes")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise ValueError("with a key that is not UTF-8") from None
