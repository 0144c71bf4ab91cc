"""The suite's clips: which files, what is said in them, and in which nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from models_export.evaluation.asr_suite.words import words
from models_export.evaluation.labelled_media import Found, SuiteError, found_of, rows
from schemas.sections import MediaKind

SPEECH_CLIPS = Path("media/speech_clips/manifest.jsonl")
VIDEO_CLIPS = Path("media/video_clips/manifest.jsonl")

SPEECH_KINDS = frozenset({"speech", "video+speech"})
SPEECHLESS_KINDS = frozenset({"silence", "noise", "music", "music+noise", "no-speech", "video+sound"})
"""Kinds of clips in whose manifests somebody says that nobody speaks. Other kinds (`narration?`) are neither."""


class Spoken(StrEnum):
    """Whether somebody speaks in a clip."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Clip:
    """One file with sound."""

    id: str
    """Its path below the data folder, or the name of a sound that was made."""
    path: Path
    source: str
    """The part of the data that it comes from."""
    media: MediaKind
    kind: str
    lang: str | None
    """ISO 639; None where nobody says."""
    transcript: str | None
    spoken: Spoken


class _Row(msgspec.Struct):
    """A line of a manifest."""

    file: str
    kind: str
    lang: str | None = None
    transcript: str | None = None


def read_clips(data: Path) -> Found[Clip]:
    """The suite's clips in a data folder.

    Raises SuiteError where neither manifest is there, and for a line that cannot be understood.
    """
    data = data.resolve()
    absent = tuple(str(name) for name in (SPEECH_CLIPS, VIDEO_CLIPS) if not (data / name).is_file())
    if len(absent) == 2:
        raise SuiteError(f"{data} has neither {SPEECH_CLIPS} nor {VIDEO_CLIPS}: expected a folder with one of them")
    media: dict[Path, MediaKind] = {SPEECH_CLIPS: "audio", VIDEO_CLIPS: "video"}
    named = [clip for name, kind in media.items() if str(name) not in absent for clip in _clips(data, name, kind)]
    return found_of(named, absent)


def spoken(kind: str) -> Spoken:
    """Whether somebody speaks in clips of this kind."""
    if kind in SPEECH_KINDS:
        return Spoken.YES
    return Spoken.NO if kind in SPEECHLESS_KINDS else Spoken.UNKNOWN


def transcript_of(text: str | None) -> str | None:
    """A manifest's `transcript`; None where it says nothing of the words. What stands in <angle brackets> describes a
    clip, wholly or in part: then its words are not all there, and none can be counted."""
    return text.strip() if text is not None and "<" not in text and words(text) else None


def _clips(data: Path, manifest: Path, media: MediaKind) -> Iterator[Clip]:
    for row in rows(data / manifest, _Row):
        lang = row.lang if row.lang and row.lang.isalpha() else None  # `-` and `en?` name no language
        file = manifest.parent / row.file
        clip_transcript, said = transcript_of(row.transcript), spoken(row.kind)
        lang = lang if said is Spoken.YES else None
        yield Clip(str(file), data / file, str(manifest.parent), media, row.kind, lang, clip_transcript, said)
