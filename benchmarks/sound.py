"""From publishing a post with ten seconds of sound, or fifteen of video, to reading its decision, at half load.

As `pictures`. People speak in all of them, without a pause, which is the most work that so many seconds can be. What is
measured is the short posts' lane: the setting `media.long_seconds` is far above their length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.bed import Bed
from benchmarks.media_latency import MediaPosts, at_half_load
from benchmarks.recording import media_posts, recordings
from benchmarks.report import Report, Table
from schemas.sections import MediaKind

NAME = "sound"
MODALITIES: dict[MediaKind, tuple[str, ...]] = {"audio": ("speech",), "video": ("speech", "ocr", "image")}
BACKLOG, QUICK_BACKLOG = 60, 10


def run(bed: Bed, sounds: Path | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`sounds`: a folder of recordings of speech; None takes the example's. Raises `TooFewSounds`."""
    sources = recordings(sounds)
    figures: dict[str, Any] = {}
    tables: list[Table] = []
    for kind, modalities in MODALITIES.items():

        def make(count: int, first: int = 0, kind: MediaKind = kind) -> Iterable[tuple[str, bytes]]:
            return media_posts(kind, count, sources, first)

        posts = MediaPosts(f"{NAME}-{kind}", make, modalities, BACKLOG, QUICK_BACKLOG)
        figures[kind], found = at_half_load(bed, posts, quick=quick, say=say)
        tables += found
    return Report(NAME, figures, tuple(tables))
