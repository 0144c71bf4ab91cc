"""Records with pictures as fetch, OCR and the image expert leave them, made by hand: for tests of pack and fuse."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from processors.ocr.merging import merge_frames
from schemas import (
    EncodeSection,
    FetchedMedia,
    FetchSection,
    ImageScores,
    KnownContent,
    Media,
    OcrLine,
    OcrPicture,
    OcrSection,
    Picture,
    Record,
)
from tests.ingested import ingested, post_of, received

MEDIA = {
    kind: Media(media_id=f"m-{kind}", kind=kind, uri="https://example.org/x") for kind in ("image", "video", "audio")
}
"""One of each kind, as a post names them."""

LINE_HEIGHT = 20.0


@dataclass(frozen=True, slots=True)
class Shot:
    """A still, or the frame at `t` of one that moves, and what is written in it."""

    lines: Sequence[str] = ()
    media_id: str = "m-1"
    t: float | None = None
    confidence: float = 0.9
    coverage: float = 0.25
    unread: int = 0

    @property
    def object(self) -> str:
        return hashlib.sha256(repr((self.media_id, self.t)).encode()).hexdigest()


def with_pictures(
    *shots: Shot, text: str | None = None, title: str | None = None, lang: str = "en", told: str | None = "en"
) -> Record:
    """A post whose pictures were fetched and read. `lang`: what ingest found; `told`: the language of the lines."""
    names = dict.fromkeys(shot.media_id for shot in shots)
    media = [Media(media_id=name, kind="image", uri="https://example.org/x") for name in names]
    record = ingested(received(post_of(text, title=title, media=media)), lang=lang)
    fetch = FetchSection(
        media=tuple(_fetched(name, [shot for shot in shots if shot.media_id == name]) for name in names)
    )
    ocr = OcrSection(
        pictures=merge_frames(map(_read, shots)), lang=told, lang_confidence=0.9, engine="CPUExecutionProvider"
    )
    return replace(record, fetch=fetch, ocr=ocr)


def looked_at(record: Record, logits: Sequence[Sequence[float]]) -> Record:
    """The record with the image expert's logits [pictures, heads], beside what the text expert has said."""
    scores = ImageScores(
        logits=np.array(logits, np.float32), features=np.zeros((len(logits), 3), np.float32), engine="LookProvider"
    )
    before = record.encode or EncodeSection(logits=np.zeros((0, 3), np.float32), embedding=np.zeros(0, np.float32))
    return replace(record, encode=replace(before, image=scores))


def known_as(record: Record, *lists: str) -> Record:
    """The record, its first media item found on these lists of known content."""
    assert record.fetch is not None
    first, *others = record.fetch.media
    matches = tuple(KnownContent(list=name, by="sha256") for name in lists)
    return replace(record, fetch=FetchSection(media=(replace(first, known=matches), *others)))


def _fetched(name: str, shots: Sequence[Shot]) -> FetchedMedia:
    pictures = tuple(Picture(object=shot.object, width=200, height=100, t=shot.t) for shot in shots)
    digest = hashlib.sha256(name.encode()).hexdigest()
    return FetchedMedia(
        media_id=name, kind="image", type="image/png", sha256=digest, md5=digest[:32], bytes=99, pictures=pictures
    )


def _read(shot: Shot) -> OcrPicture:
    return OcrPicture(
        media_id=shot.media_id,
        object=shot.object,
        t=shot.t,
        lines=tuple(_line(text, at, shot.confidence) for at, text in enumerate(shot.lines)),
        unread=tuple(_line("", at, 0.5) for at in range(shot.unread)),
        confidence=shot.confidence if shot.lines else None,
        coverage=shot.coverage if shot.lines else 0.0,
    )


def _line(text: str, at: int, confidence: float) -> OcrLine:
    top = at * LINE_HEIGHT
    corners = ((0.0, top), (150.0, top), (150.0, top + LINE_HEIGHT), (0.0, top + LINE_HEIGHT))
    return OcrLine(text=text, polygon=corners, bbox=(0.0, top, 150.0, LINE_HEIGHT), confidence=confidence)
