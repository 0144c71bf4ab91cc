"""Which published decisions are judged again, piece by piece and always in the same order and the same pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from schemas import InvalidPost, Post, decode_post
from schemas.source import Source
from streams.offsets import Place
from streams.reader import Read, read_between
from streams.replay.plan import PURPOSE, Plan, input_topics, starts
from streams.replay.published import Published
from streams.replay.question import Selection
from streams.replay.store import ReplayStore
from streams.settings import Settings

PIECE_POSTS = 512
PIECE_BYTES = 8 * 1024 * 1024
"""What is judged together: enough to fill the stages' own batches, and not more than fits in memory."""

PIECE_DECISIONS = 2_000
"""The same where no posts are read."""

POSTS = "posts"
"""The phase in which posts are read."""


class _Head(msgspec.Struct):
    """What tells whether a post is wanted; the rest of it is decoded for those that are."""

    post_id: str
    tenant: str = "default"


_head = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Candidate:
    decision: Published
    post: Post | None = None
    value: bytes | None = None
    """The post's message; None where posts are not read."""


@dataclass(slots=True)
class Piece:
    """What is judged and written together."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    counted: Counter[str] = field(default_factory=Counter[str])
    reached: dict[Place, int] = field(default_factory=dict[Place, int])
    size: int = 0


def wanted(decision: Published, selection: Selection) -> bool:
    """Whether the version of the post that the decision is on was asked for."""
    source = decision.source
    return (
        selection.has_id(decision.post_id)
        and selection.has_tenant(decision.tenant)
        and selection.has_place((source.topic, source.partition), source.offset, source.timestamp_ms)
    )


def from_decisions(store: ReplayStore, plan: Plan) -> Iterator[Piece]:
    """Every wanted decision that was not judged yet, without its post."""
    topics = input_topics(plan.asked.prefix)
    return _pieces(
        decision
        for decision in store.all_published(store.last_place)
        if decision.source.topic in topics and wanted(decision, plan.selection)
    )


def from_posts(settings: Settings, store: ReplayStore, plan: Plan) -> Iterator[Piece]:
    """Every wanted post whose present decision is on that version of it. The others are counted.

    A piece ends where its partition does, so that one that was not finished begins where it began.
    """
    left = starts(plan.posts, store.reached(POSTS))
    for span in plan.posts:
        place = (span.topic, span.partition)
        if place not in left:
            continue
        piece = Piece()
        for message in read_between(settings.kafka, settings.group, PURPOSE, {place: left[place]}, {place: span.end}):
            _take(message, store, plan.selection, piece)
            piece.reached = {place: message.offset + 1}
            if len(piece.candidates) >= PIECE_POSTS or piece.size >= PIECE_BYTES:
                yield piece
                piece = Piece()
        piece.reached = {place: span.end}
        yield piece


def without_post(store: ReplayStore, plan: Plan) -> Iterator[Piece]:
    """Once all posts were read: the wanted decisions whose post is no longer there."""
    topics = input_topics(plan.asked.prefix)
    return _pieces(
        decision
        for decision in store.all_published()
        if decision.source.topic in topics and wanted(decision, plan.selection) and not store.has_pair(decision.source)
    )


def _pieces(decisions: Iterable[Published]) -> Iterator[Piece]:
    piece = Piece()
    for decision in decisions:
        piece.candidates.append(Candidate(decision))
        if len(piece.candidates) == PIECE_DECISIONS:
            yield piece
            piece = Piece()
    if piece.candidates:
        yield piece


def _take(message: Read, store: ReplayStore, selection: Selection, piece: Piece) -> None:
    if not selection.has_place(message.place, message.offset, message.timestamp_ms):
        return
    if message.value is None:
        piece.counted["deletes"] += 1
        return
    try:
        head = _head.decode(message.value)
    except msgspec.DecodeError:
        piece.counted["invalid"] += 1
        return
    if not selection.has_id(head.post_id) or not selection.has_tenant(head.tenant):
        return
    piece.counted["posts"] += 1
    known, decision = store.published(head.post_id)
    if decision is None:
        piece.counted["deleted" if known else "no_decision"] += 1
        return
    place = Source(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=message.timestamp_ms,
    )
    if decision.source != place and message.origin.attempt is not None:
        # A dead letter that was replayed: its decision names the place where the post was first published.
        piece.counted["republished"] += 1
        return
    if decision.source != place:
        later = (decision.source.timestamp_ms, decision.source.offset) > (place.timestamp_ms, place.offset)
        piece.counted["superseded" if later else "no_decision"] += 1
        return
    try:
        post = decode_post(message.value)
    except InvalidPost:
        piece.counted["invalid"] += 1
        return
    piece.candidates.append(Candidate(decision, post, message.value))
    piece.size += len(message.value)
