"""One post: what was posted, decided and said about it, and its way through the chain."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from console.access import Person, Role
from console.guards import PERSON, Refused, answer
from console.media import response_of
from console.pages import needs
from console.site import SITE, Site
from schemas import (
    MAX_ID_BYTES,
    Confidence,
    Decision,
    Feedback,
    Flag,
    InvalidMessage,
    Post,
    Stage,
    decode_confidence,
    decode_decision,
    decode_feedback,
    decode_flag,
    decode_post,
)
from streams.reader import Read
from streams.topology import LANES, STAGES, lanes_of

GRAPHS = {"text": Stage.ENCODE, "image": Stage.ENCODE, "ocr": Stage.OCR, "asr": Stage.ASR, "fusion": Stage.FUSE}
"""Graph of a decision's `versions.engines` -> the stage that runs it."""

NOT_SHOWN = "your role does not show content"
MAX_FEEDBACK = 200
"""Of one post; people say a handful of things about it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What there is on a post."""

    decision: Decision | None
    deleted: bool


@needs(Role.VIEWER)
async def post(request: web.Request) -> web.StreamResponse:
    """Everything on one post; without content for those who may not see it."""
    site, person = request.app[SITE], request[PERSON]
    post_id = post_id_of(request)
    judged = await judged_of(site, post_id)
    found: Post | None = None
    confidence: Confidence | None = None
    thresholds: dict[str, float] = {}
    said: list[Feedback] = []
    if not judged.deleted:
        source, confidence, thresholds, said = await asyncio.gather(
            site.in_thread(posted, site, post_id, judged.decision),
            site.in_thread(confidence_of, site, judged.decision),
            site.in_thread(thresholds_of, site, judged.decision),
            site.in_thread(feedback_on, site, post_id),
        )
        found = source
        if found is None and judged.decision is None:
            raise Refused(404, f"no such post within the newest {site.settings.console.search_messages:,} messages")
    media = await media_rows(site, found, person)
    return answer({**post_object(judged, found, confidence, said, media, person), "thresholds": thresholds})


def post_object(
    judged: Judged,
    found: Post | None,
    confidence: Confidence | None,
    said: list[Feedback],
    media: list[dict[str, Any]],
    person: Person,
) -> dict[str, Any]:
    """The answer, as `person` may see it."""
    content = person.role.may(Role.REVIEWER)
    decision = judged.decision
    return {
        "post": shown_post(found) if found is not None and content else None,
        "decision": None if decision is None else shown_decision(decision, content=content),
        "confidence": confidence,
        "feedback": [shown_feedback(one, content=content) for one in said],
        "way": way_of(decision),
        "media": media,
        "deleted": judged.deleted,
        "why_no_post": None
        if found is not None and content
        else "it was deleted"
        if judged.deleted
        else NOT_SHOWN
        if not content
        else "it is no longer in its topic",
    }


async def media(request: web.Request) -> web.StreamResponse:
    """A picture or a sound."""
    part = request.app[SITE].media.find(request.match_info["token"])
    if part is None:
        raise Refused(404, "this address holds no longer: load the post again")
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(None)  # a server may leave a range aside that it cannot read
    return response_of(part, wanted)


needs(Role.REVIEWER)(media)


def post_id_of(request: web.Request) -> str:
    """Raises `Refused` for what can be nobody's id."""
    post_id = request.match_info["post_id"]
    if not 0 < len(post_id.encode("utf-8", "surrogatepass")) <= MAX_ID_BYTES or not _encodable(post_id):
        raise Refused(404, "there is no such post")
    return post_id


async def judged_of(site: Site, post_id: str) -> Judged:
    """The decision that holds for a post: of those that are held here, else from its topic."""
    held = site.feeds.decision_of(post_id)
    if held is not None:
        read = await site.in_thread(site.lookup.at, site.topics.decisions, *held.place)
        decision = None if read is None else _decision(read)
        if decision is not None:
            return Judged(decision, deleted=False)
    found = await site.in_thread(site.lookup.last_of, site.topics.decisions, post_id.encode())
    if found.messages and found.messages[-1].value is None:
        return Judged(None, deleted=True)
    decisions = [decision for read in found.messages if (decision := _decision(read)) is not None]
    latest = max(decisions, key=lambda one: (one.source.timestamp_ms, one.source.offset), default=None)
    return Judged(latest, deleted=False)


def posted(site: Site, post_id: str, decision: Decision | None) -> Post | None:
    """The post as it was decided on; of one that is not decided, its newest version. Blocks."""
    inputs = [site.topics.stage(STAGES[0], lane) for lane in LANES if lane in lanes_of(STAGES[0])]
    if decision is not None:
        source = decision.source
        if source.topic not in inputs:
            return None
        read = site.lookup.at(source.topic, source.partition, source.offset)
        return None if read is None else _post(read, post_id)
    reads = [read for topic in inputs for read in site.lookup.last_of(topic, post_id.encode()).messages]
    newest = max(reads, key=lambda read: (read.timestamp_ms, read.offset), default=None)
    return None if newest is None else _post(newest, post_id)


def confidence_of(site: Site, decision: Decision | None) -> Confidence | None:
    """The `confidence/1` of a decision. Blocks."""
    if decision is None:
        return None
    found = site.lookup.last_of(
        site.topics.confidence,
        decision.post_id.encode(),
        lambda read: (one := _confidence(read)) is not None and one.decision_id == decision.decision_id,
    )
    return _confidence(found.messages[-1]) if found.messages else None


def thresholds_of(site: Site, decision: Decision | None) -> dict[str, float]:
    """Flag -> the threshold that its label passed, of the flags that a decision raised. Blocks."""
    if decision is None or not decision.flags:
        return {}
    found = site.lookup.last_of(
        site.topics.flags,
        decision.post_id.encode(),
        lambda read: (one := _flag(read)) is not None and one.decision_id == decision.decision_id,
    )
    flags = [one for read in found.messages if (one := _flag(read)) is not None]
    return {flag.flag: flag.threshold for flag in flags if flag.threshold is not None}


def feedback_on(site: Site, post_id: str) -> list[Feedback]:
    """What was said on any decision of a post, oldest first. Blocks."""
    found = site.lookup.all_of(site.topics.feedback, post_id.encode())
    said = [one for read in found.messages if (one := _feedback(read)) is not None and one.post_id == post_id]
    return said[-MAX_FEEDBACK:]


async def media_rows(site: Site, found: Post | None, person: Person) -> list[dict[str, Any]]:
    """Of a post's media, with addresses for those who may see content."""
    if found is None:
        return []
    if person.role.may(Role.REVIEWER):
        return await site.media.rows(found)
    return [unseen(item.media_id, item.kind) for item in found.media]


def unseen(media_id: str, kind: str) -> dict[str, Any]:
    """The row of an item for those who may not see it."""
    nothing = dict.fromkeys(("type", "sha256", "src", "width", "height", "seconds", "sound"))
    return {"media_id": media_id, "kind": kind, "why_not": NOT_SHOWN, "frames": [], **nothing}


def shown_post(found: Post) -> dict[str, Any]:
    """`post/1` without inline data, whose size is said instead."""
    built: dict[str, Any] = msgspec.to_builtins(found)
    for item, media_item in zip(built.get("media", ()), found.media, strict=bool(found.media)):
        if item.pop("data", None) is not None and media_item.data is not None:
            item["bytes"] = len(media_item.data)
    return built


def shown_decision(decision: Decision, *, content: bool) -> dict[str, Any]:
    """`decision/1`; the evidence's words are content."""
    built: dict[str, Any] = msgspec.to_builtins(decision)
    if not content:
        for piece in built["evidence"]:
            piece.pop("text", None)
    return built


def shown_feedback(said: Feedback, *, content: bool) -> dict[str, Any]:
    """`feedback/1`; a comment may quote the post."""
    built: dict[str, Any] = msgspec.to_builtins(said)
    if not content:
        built.pop("comment", None)
    return built


def way_of(decision: Decision | None) -> list[dict[str, Any]]:
    """The stages that a post went through, with the time that each took (ms) and what its models ran on."""
    if decision is None:
        return []
    engines: dict[str, list[str]] = {}
    for graph, engine in decision.versions.engines.items():
        if graph in GRAPHS:
            engines.setdefault(GRAPHS[graph].value, []).append(engine)
    return [
        {"stage": stage.value, "ms": ms, "engine": ", ".join(dict.fromkeys(engines.get(stage.value, ()))) or None}
        for stage in STAGES
        if (ms := decision.timings_ms.get(stage.value)) is not None
    ]


def _decision(read: Read) -> Decision | None:
    try:
        return None if read.value is None else decode_decision(read.value)
    except InvalidMessage:
        return None


def _confidence(read: Read) -> Confidence | None:
    try:
        return None if read.value is None else decode_confidence(read.value)
    except InvalidMessage:
        return None


def _flag(read: Read) -> Flag | None:
    try:
        return None if read.value is None else decode_flag(read.value)
    except InvalidMessage:
        return None


def _feedback(read: Read) -> Feedback | None:
    try:
        return None if read.value is None else decode_feedback(read.value)
    except InvalidMessage:
        return None


def _post(read: Read, post_id: str) -> Post | None:
    """The post in a message; None where it is another's, or none: places come from messages, and may lie."""
    try:
        found = None if read.value is None else decode_post(read.value)
    except InvalidMessage:
        return None
    return found if found is not None and found.post_id == post_id else None


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
