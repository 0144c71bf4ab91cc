"""The quality features of a post's text, without a model: what ingest and pack make of it."""

from __future__ import annotations

from processors.ingest.processor import IngestProcessor
from processors.pack.features import MEDIA_FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from schemas import Post, Record, Stage
from schemas.source import Source
from streams.settings import Settings

_NOWHERE = Source(topic="", partition=0, offset=0, timestamp_ms=0)
"""Features do not hang on it."""


class TextFeatures:
    """Some 0.3 ms for a short post."""

    def __init__(self, pack: Pack, settings: Settings) -> None:
        limits = settings.limits
        self._ingest = IngestProcessor(limits.max_text_chars)
        self._pack = PackProcessor(pack, max_windows=limits.max_windows, max_text_chars=limits.max_text_chars)

    def of(self, post: Post) -> dict[str, float]:
        """Those of `TEXT_FEATURES`, and those of media as a post without any has them. Raises `ProcessingError`."""
        record = Record(post=post, source=_NOWHERE, content_hash="", received_ms=0, route=(Stage.INGEST, Stage.PACK))
        section = self._pack.prepare(self._ingest.prepare(record)).pack
        return {**dict.fromkeys(MEDIA_FEATURES, 0.0), **(section.features if section is not None else {})}
