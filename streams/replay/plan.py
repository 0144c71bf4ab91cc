"""What a replay was asked, and the offsets that settle it: the same folder goes on with the same, or refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec
from confluent_kafka.admin import AdminClient

from schemas import Stage
from streams.access import READ as READ_OPERATION
from streams.access import Grant, Kind
from streams.offsets import Place, end_offsets, first_offsets, offsets_at, places_of
from streams.replay.question import QuestionError, Selection
from streams.replay.store import ReplayStore
from streams.settings import Settings
from streams.topics import require_topics
from streams.topology import Topics, lanes_of

PURPOSE = "replay"
"""Of the group's name, which is never joined."""

Mode = Literal["policy", "chain"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The question in the words in which it was asked. What stands here tells one replay from another."""

    since: str | None = None
    until: str | None = None
    offsets: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    post_ids: int = 0
    post_ids_sha256: str | None = None
    sample: float = 1.0
    mode: Mode
    full_where_needed: bool = False
    with_text: bool = False
    pack: str
    policy: str
    policy_before: str | None = None
    prefix: str
    code: str
    settings_sha256: str
    """Of the settings that judgements hang on."""
    authors: str | None = None
    """A check value of the key of the authors' hashes; None without one."""


class Span(msgspec.Struct, frozen=True):
    """Offsets of a partition to be read: `first` up to but without `end`."""

    topic: str
    partition: int
    first: int
    end: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is read, settled when the replay began: what is published meanwhile does not count."""

    asked: Asked
    selection: Selection
    posts: tuple[Span, ...]
    decisions: tuple[Span, ...]
    feedback: tuple[Span, ...]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Plan)


def input_topics(prefix: str) -> tuple[str, ...]:
    """The topics that posts are published on."""
    return tuple(Topics(prefix).stage(Stage.INGEST, lane) for lane in lanes_of(Stage.INGEST))


def replay_grants(settings: Settings) -> tuple[Grant, ...]:
    """What a replay must be allowed: to read."""
    topics = Topics(settings.topics.prefix)
    names = (*input_topics(topics.prefix), topics.decisions, topics.feedback)
    return tuple(Grant(Kind.TOPIC, name, (READ_OPERATION,)) for name in names)


def settings_hash(settings: Settings) -> str:
    """Of what judgements hang on besides pack and policy."""
    parts = (settings.fusion, settings.limits, settings.media, settings.ocr, settings.asr, settings.known)
    return hashlib.sha256(msgspec.json.encode(parts, enc_hook=str, order="deterministic")).hexdigest()[:16]


def kept_plan(store: ReplayStore, asked: Asked, folder: str) -> Plan | None:
    """The plan of a replay that was begun with the same question. Raises `QuestionError` for another one, and for what
    another version of modstream has left."""
    raw = store.plan
    if raw is None:
        return None
    try:
        plan = _decoder.decode(raw)
    except msgspec.DecodeError:
        raise QuestionError(
            f"{folder} holds a replay of another version of modstream: expected another folder"
        ) from None
    if plan.asked != asked:
        names = [name for name in asked.__struct_fields__ if getattr(asked, name) != getattr(plan.asked, name)]
        was, now = getattr(plan.asked, names[0]), getattr(asked, names[0])
        raise QuestionError(
            f"{folder} holds a replay of another question ({', '.join(names)}; {names[0]} was {was}, is {now}): "
            "expected the same arguments, pack and policy, or another folder"
        )
    return plan


def new_plan(settings: Settings, admin: AdminClient, asked: Asked, selection: Selection) -> Plan:
    """Where everything lies now. Raises `TopicsError`, `QuestionError` and KafkaException."""
    topics = Topics(settings.topics.prefix)
    # All that are missing are named at once.
    require_topics(admin, (*input_topics(topics.prefix), topics.decisions, topics.feedback))
    # Before the posts: then every decision's post is among them, or gone.
    decisions = _spans(admin, topics.decisions)
    posts = _spans(admin, *input_topics(topics.prefix))
    for stretch in selection.stretches:
        if stretch.place not in {(span.topic, span.partition) for span in posts}:
            raise QuestionError(f"{stretch.topic} has no partition {stretch.partition}")
    if selection.stretches:
        posts = tuple(cut for span in posts if (cut := _within(span, selection)) is not None)
    elif selection.since_ms is not None:
        posts = _from_time(admin, posts, selection.since_ms)
    return Plan(
        asked=asked,
        selection=selection,
        posts=posts,
        # All of it: which decision holds shows only when every later one has been seen.
        decisions=decisions,
        feedback=_spans(admin, topics.feedback),
    )


def encoded(plan: Plan) -> bytes:
    return _encoder.encode(plan)


def ends(spans: tuple[Span, ...]) -> dict[Place, int]:
    return {(span.topic, span.partition): span.end for span in spans}


def starts(spans: tuple[Span, ...], reached: Mapping[Place, int]) -> dict[Place, int]:
    """Where to go on, of the spans that have not been read to their end."""
    found = {(span.topic, span.partition): span.first for span in spans} | dict(reached)
    last = ends(spans)
    return {place: offset for place, offset in found.items() if offset < last[place]}


def _spans(admin: AdminClient, *topics: str) -> tuple[Span, ...]:
    places = places_of(admin, topics)
    first, end = first_offsets(admin, places), end_offsets(admin, places)
    return tuple(Span(*place, first[place], end[place]) for place in sorted(places))


def _within(span: Span, selection: Selection) -> Span | None:
    """The part of a partition that holds all stretches of it that were asked for."""
    mine = [stretch for stretch in selection.stretches if stretch.place == (span.topic, span.partition)]
    if not mine:
        return None
    first = max(span.first, min(stretch.first for stretch in mine))
    end = min(span.end, max(stretch.end for stretch in mine))
    return Span(span.topic, span.partition, first, end) if first < end else None


def _from_time(admin: AdminClient, spans: tuple[Span, ...], since_ms: int) -> tuple[Span, ...]:
    """From the first message that is so late. What comes after it may be earlier again, as senders' clocks differ, and
    is told apart when it is read."""
    # Negative times have a meaning of their own to Kafka.
    found = offsets_at(admin, [(span.topic, span.partition) for span in spans], max(0, since_ms))
    moved: list[Span] = []
    for span in spans:
        first = max(span.first, found.get((span.topic, span.partition), span.end))
        moved.append(Span(span.topic, span.partition, first, max(first, span.end)))
    return tuple(moved)
