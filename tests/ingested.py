"""Records as ingest leaves them, made by hand: for tests of the stages after it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from schemas import (
    Context,
    FieldName,
    FieldView,
    IngestSection,
    Media,
    OffsetMap,
    OffsetMapBuilder,
    Post,
    Record,
    Source,
    Stage,
    encode_post,
)

ROUTE = (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)


def post_of(
    text: str | None = None,
    *,
    title: str | None = None,
    parent: str | None = None,
    post_id: str = "p-1",
    tenant: str = "default",
    media: Sequence[Media] = (),
) -> Post:
    context = Context(parent_text=parent, title=title) if title is not None or parent is not None else None
    return Post(post_id=post_id, tenant=tenant, text=text, context=context, media=tuple(media))


def received(post: Post, *, offset: int = 0, now_ms: int = 1_795_316_080_000) -> Record:
    """The record that a worker makes of a message."""
    return Record(
        post=post,
        source=Source(topic="moderation.posts", partition=0, offset=offset, timestamp_ms=now_ms - 5),
        content_hash=hashlib.sha256(encode_post(post)).hexdigest(),
        received_ms=now_ms,
        route=ROUTE,
    )


def plain_view(text: str) -> FieldView:
    """A text that normalisation leaves as it is."""
    return FieldView(original_length=len(text), text=text, text_map=OffsetMap.identity(len(text)))


def spaced_view(text: str) -> FieldView:
    """A text whose folded view lacks the `-` between its letters, as in `s-c-u-m`."""
    builder = OffsetMapBuilder()
    for character in text:
        if character == "-":
            builder.drop(1)
        else:
            builder.copy(1)
    folded = text.replace("-", "")
    return FieldView(
        original_length=len(text),
        text=text,
        text_map=OffsetMap.identity(len(text)),
        folded=folded if folded != text else None,
        folded_map=builder.build(len(text)) if folded != text else None,
    )


def ingested(record: Record, *, lang: str = "en", disguised: bool = False) -> Record:
    """The record with its ingest section, its fields as they are (or with `spaced_view` where `disguised`)."""
    context = record.post.context or Context()
    given: dict[FieldName, str | None] = {
        "text": record.post.text,
        "title": context.title,
        "parent": context.parent_text,
    }
    view = spaced_view if disguised else plain_view
    fields: dict[FieldName, FieldView] = {name: view(text) for name, text in given.items() if text}
    return replace(record, ingest=IngestSection(lang=lang, lang_confidence=0.9, fields=fields))
