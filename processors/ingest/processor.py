"""The ingest stage. It does no I/O: what it says follows from the post alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from processors.contract import BatchPolicy, Outcome
from processors.ingest.modalities import CONTENT_FIELDS, text_modality
from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.text import field_view, langid
from processors.text.language_codes import language_of
from schemas import Context, FieldName, FieldView, IngestSection, Post, Record, Stage

MAX_TEXT_CHARS = 20_000
"""Code points read of each text field; platforms' longest posts have 5,000 to 10,000."""

BATCHING = BatchPolicy(max_items=256, max_cost=200_000, max_wait_s=0.0)
"""The work is done item by item, so waiting for company gains nothing; the cost keeps batches of long posts short."""

TEXT_ROUTE = (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)
MEDIA_ROUTE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.ASR, Stage.PACK, Stage.ENCODE, Stage.FUSE)
"""Of a post with media, whatever their producer calls them; fetch, which sees what they are, takes out what they do not
need."""


class IngestProcessor:
    """Adds `ingest` (views and language), the modality `text` and the route to a record fresh from its message."""

    stage = Stage.INGEST

    def __init__(self, max_text_chars: int = MAX_TEXT_CHARS, batching: BatchPolicy = BATCHING) -> None:
        """Loads the language model (about 0.1 s). Raises ValueError for a limit below 1."""
        if max_text_chars < 1:
            raise ValueError(f"max_text_chars is {max_text_chars}, expected at least 1")
        self.batching = batching
        self._limit = max_text_chars
        langid.load()

    def cost(self, record: Record, /) -> int:
        """Code points to normalise, at least 1."""
        return max(1, sum(min(len(text), self._limit) for text in _originals(record.post).values()))

    def prepare(self, record: Record, /) -> Record:
        """The record with its ingest section. Any valid post has one: nothing is raised."""
        originals = _originals(record.post)
        views: dict[FieldName, FieldView] = {name: field_view(text, self._limit) for name, text in originals.items()}
        lang, confidence = _language(record.post, views)
        return replace(
            record,
            route=MEDIA_ROUTE if record.post.media else TEXT_ROUTE,
            ingest=IngestSection(lang=lang, lang_confidence=confidence, fields=views),
            modalities={"text": text_modality(originals, views, self._limit)},
        )

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        """The batch as it is: all work is done in `prepare`."""
        return list(batch)


def _originals(post: Post) -> dict[FieldName, str]:
    """The post's text fields that are there and not empty, as posted."""
    context = post.context or Context()
    given: dict[FieldName, str | None] = {"text": post.text, "title": context.title, "parent": context.parent_text}
    return {name: text for name, text in given.items() if text}


def _language(post: Post, views: dict[FieldName, FieldView]) -> tuple[str, float]:
    """The language that the producer names, else the one found in the post's own text with its disguises undone."""
    if post.lang is not None and (named := language_of(post.lang)) is not None:
        return named, 1.0
    found, confidence = langid.detect("\n".join(_reading(views[name]) for name in CONTENT_FIELDS if name in views))
    return found or UNKNOWN_LANGUAGE, confidence


def _reading(view: FieldView) -> str:
    return view.text if view.folded is None else view.folded
