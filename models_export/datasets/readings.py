"""`ocr.jsonl` and `asr.jsonl`: what the chain itself read and heard in each media file, by its SHA-256."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from models_export.datasets.manifest import DatasetError
from schemas import Record, Status

OCR, ASR = "ocr.jsonl", "asr.jsonl"


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that was read."""

    text: str
    confidence: float
    box: tuple[float, float, float, float]
    """[x, y, width, height] in pixels of the upright original."""
    t: float | None = None
    """Seconds from the start, in a video."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of speech."""

    text: str
    confidence: float
    t_start: float
    t_end: float


class Read(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of either file."""

    sha256: str
    reader: str
    """Pack and code: another reader's lines are read anew."""
    status: Status
    reason: str | None = None
    text: str = ""
    """All lines or segments to be trusted, joined with line feeds."""
    confidence: float | None = None
    """0..1, mean by length; None where there is nothing."""
    unsafe_ratio: float = 0.0
    """0..1: share of what was found that is not to be trusted, of lines by number, of speech by seconds."""


class OcrRead(Read, frozen=True, kw_only=True, omit_defaults=True):
    lines: tuple[Line, ...] = ()
    coverage: float = 0.0
    """0..1: share of the area that writing takes; the mean over a video's frames."""


class AsrRead(Read, frozen=True, kw_only=True, omit_defaults=True):
    segments: tuple[Segment, ...] = ()
    lang: str | None = None
    speech_seconds: float = 0.0


Kind = TypeVar("Kind", OcrRead, AsrRead)


def ocr_of(record: Record, sha256: str, reader: str) -> OcrRead:
    """What `record`, a post that is nothing but this file, says of its pictures."""
    said = record.modalities.get("ocr")
    pictures = record.ocr.pictures if record.ocr is not None else ()
    lines = tuple(
        Line(text=line.text, confidence=line.confidence, box=line.bbox, t=picture.t)
        for picture in pictures
        for line in picture.lines
    )
    unread = sum(len(picture.unread) for picture in pictures)
    return OcrRead(
        sha256=sha256,
        reader=reader,
        status=Status.ABSENT if said is None else said.status,
        reason=None if said is None else said.reason,
        text="\n".join(line.text for line in lines),
        confidence=_mean([line.confidence for line in lines], [len(line.text) for line in lines]),
        unsafe_ratio=unread / (unread + len(lines)) if unread else 0.0,
        lines=lines,
        coverage=_mean([picture.coverage for picture in pictures], [1] * len(pictures)) or 0.0,
    )


def asr_of(record: Record, sha256: str, reader: str) -> AsrRead:
    """What `record`, a post that is nothing but this file, says of its sound."""
    said = record.modalities.get("speech")
    sounds = record.asr.sounds if record.asr is not None else ()
    segments = [segment for sound in sounds for segment in sound.segments]
    seconds = [segment.t_end - segment.t_start for segment in segments]
    return AsrRead(
        sha256=sha256,
        reader=reader,
        status=Status.ABSENT if said is None else said.status,
        reason=None if said is None else said.reason,
        text="\n".join(segment.text for segment in segments),
        confidence=_mean([segment.confidence for segment in segments], seconds),
        unsafe_ratio=max((sound.unsafe_ratio for sound in sounds), default=0.0),
        segments=tuple(
            Segment(text=of.text, confidence=of.confidence, t_start=of.t_start, t_end=of.t_end) for of in segments
        ),
        lang=record.asr.lang if record.asr is not None else None,
        speech_seconds=sum(sound.speech_seconds for sound in sounds),
    )


def read_readings(path: Path, kind: type[Kind]) -> dict[str, Kind]:
    """SHA-256 -> reading; none where the file is not there. Raises DatasetError for a line that is none."""
    found, broken = scan_readings(path, kind)
    if broken:
        raise DatasetError(f"{path}: {broken} lines are no readings; `modstream data extract` mends the file")
    return found


def scan_readings(path: Path, kind: type[Kind]) -> tuple[dict[str, Kind], int]:
    """The same, with the number of lines that are none: a run that was cut off leaves half a line."""
    decoder = msgspec.json.Decoder(kind)
    found: dict[str, Kind] = {}
    broken = 0
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            one = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            broken += 1
            continue
        found[one.sha256] = one
    return found, broken


def _mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
    total = sum(weights)
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / total if total else None
