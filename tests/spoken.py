"""Records with sound as fetch and ASR leave them, made by hand: for tests of pack and fuse."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from schemas import (
    AsrSection,
    AsrSegment,
    AsrSound,
    FetchedMedia,
    FetchSection,
    Media,
    MediaKind,
    Record,
    Sound,
)
from tests.ingested import ingested, post_of, received

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Said:
    """A segment; `unsafe`: why it is not to be trusted."""

    text: str
    t_start: float = 0.0
    t_end: float = 1.0
    confidence: float = 0.9
    unsafe: str | None = None


def with_sound(
    *said: Said, text: str | None = None, lang: str = "en", told: str | None = "en", kind: MediaKind = "audio"
) -> Record:
    """A post whose one recording was fetched and listened to. `lang`: what ingest found; `told`: the speech's."""
    return beside(ingested(received(post_of(text)), lang=lang), *said, told=told, kind=kind)


def beside(
    record: Record, *said: Said, media_id: str = "s-1", told: str | None = "en", kind: MediaKind = "audio"
) -> Record:
    """The record with a further media item whose sound was listened to."""
    media = Media(media_id=media_id, kind=kind, uri="https://example.org/x")
    digest = hashlib.sha256(media_id.encode()).hexdigest()
    fetched = FetchedMedia(
        media_id=media_id,
        kind=kind,
        type=f"{kind}/mp4",
        sha256=digest,
        md5=digest[:32],
        bytes=99,
        seconds=SECONDS,
        sound=Sound(object=digest, seconds=SECONDS),
    )
    before = record.fetch.media if record.fetch is not None else ()
    heard = record.asr.sounds if record.asr is not None else ()
    return replace(
        record,
        post=replace(record.post, media=(*record.post.media, media)),
        fetch=FetchSection(media=(*before, fetched)),
        asr=AsrSection(sounds=(*heard, _heard(media_id, digest, said, told)), lang=told, engine="cpu int8"),
    )


def _heard(media_id: str, address: str, said: Sequence[Said], told: str | None) -> AsrSound:
    return AsrSound(
        media_id=media_id,
        object=address,
        speech_seconds=sum(one.t_end - one.t_start for one in said),
        segments=tuple(map(_segment, [one for one in said if one.unsafe is None])),
        unsafe=tuple(map(_segment, [one for one in said if one.unsafe is not None])),
        lang=told,
    )


def _segment(said: Said) -> AsrSegment:
    return AsrSegment(
        text=said.text, t_start=said.t_start, t_end=said.t_end, confidence=said.confidence, unsafe=said.unsafe
    )
