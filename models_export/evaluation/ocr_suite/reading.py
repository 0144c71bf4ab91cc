"""What the chain's stages read in a picture, and how far that is from what is written there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models_export.evaluation import labelled_media
from models_export.evaluation.labelled_media import through
from models_export.evaluation.ocr_suite.samples import Sample
from models_export.evaluation.ocr_suite.transcript import Transcript
from models_export.evaluation.ocr_suite.views import lenient, strict, tokens
from models_export.measures.edit_distance import distance, distance_within
from processors.contract import AnyProcessor, Outcome, ProcessingError
from schemas import Modality, OcrLine, Picture, Record, Stage, Status

ROUTE = (Stage.FETCH, Stage.OCR)
MEDIA_ID = "picture"

CHUNK = 32
"""Pictures that go through the stages together: several batches of recognition, and a few seconds between two signs of
life."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Counts of one picture with a transcript; a rate is a sum of these over a sum of the lengths beside them."""

    strict: int
    """Edit distance of the strict views of all that is expected and all that was read, in reading order."""
    strict_chars: int
    lenient: int
    """The same of the lenient views."""
    lenient_chars: int
    found: int
    """Sum over the transcript's lines: lenient distance to the part of all that was read that is nearest to it."""
    found_chars: int
    hits: int
    """Words of the transcript that were read, each as often as in both, wherever they stand."""
    words_expected: int
    words_read: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture's outcome."""

    sample: Sample
    status: Status
    reason: str | None = None
    lines: tuple[OcrLine, ...] = ()
    """As read, in reading order."""
    unread: tuple[OcrLine, ...] = ()
    """Lines that were found and cannot be read."""
    confidence: float | None = None
    """Mean of the lines', by their number of characters."""
    engine: str | None = None
    picture: Picture | None = None
    """The picture that was read, as fetch stored it for the suite's tenant."""
    errors: Errors | None = None
    """None where there is no transcript."""

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)


@dataclass(slots=True)
class Seconds:
    """Wall time that each stage took, all pictures together."""

    fetch: float = 0.0
    ocr: float = 0.0


def read_all(
    processors: Sequence[AnyProcessor], samples: Sequence[Sample], progress: Callable[[int], None]
) -> tuple[list[Reading], Seconds]:
    """Every picture as a post of its own through `processors`, which are the chain's fetch and OCR stages.

    `progress` is told now and then how many have been read.
    """
    readings: list[Reading] = []
    seconds = Seconds()
    for start in range(0, len(samples), CHUNK):
        chunk = samples[start : start + CHUNK]
        outcomes: list[Outcome] = [record_of(sample, start + at) for at, sample in enumerate(chunk)]
        for processor in processors:
            began_s = time.perf_counter()
            outcomes = through(processor, outcomes)
            took_s = time.perf_counter() - began_s
            if processor.stage is Stage.FETCH:
                seconds.fetch += took_s
            else:
                seconds.ocr += took_s
        readings += [reading_of(sample, outcome) for sample, outcome in zip(chunk, outcomes, strict=True)]
        progress(len(readings))
    return readings, seconds


def record_of(sample: Sample, number: int) -> Record:
    """The record of a post that is nothing but this picture."""
    return labelled_media.record_of(sample, number, media_id=MEDIA_ID, kind="image", route=ROUTE)


def reading_of(sample: Sample, outcome: Outcome) -> Reading:
    """What a picture's outcome says, compared with its transcript. One that failed was read as empty."""
    if isinstance(outcome, ProcessingError):
        return Reading(sample, Status.FAILED, outcome.reason, errors=_compared(sample.transcript, ()))
    said = outcome.modalities.get("ocr") or Modality(status=Status.OK)
    pictures = outcome.ocr.pictures if outcome.ocr is not None else ()
    lines = tuple(line for picture in pictures for line in picture.lines)
    fetched = (
        [picture for item in outcome.fetch.media for picture in item.pictures] if outcome.fetch is not None else []
    )
    confidences = [picture.confidence for picture in pictures if picture.confidence is not None]
    return Reading(
        sample,
        said.status,
        said.reason,
        lines=lines,
        unread=tuple(line for picture in pictures for line in picture.unread),
        confidence=sum(confidences) / len(confidences) if confidences else None,
        engine=outcome.ocr.engine if outcome.ocr is not None else None,
        picture=fetched[0] if fetched else None,
        errors=_compared(sample.transcript, [line.text for line in lines]),
    )


def _compared(transcript: Transcript | None, read: Sequence[str]) -> Errors | None:
    if transcript is None:
        return None
    text = " ".join(read)
    expected, seen = tokens(transcript.text), tokens(text)
    lines = [lenient(line) for line in transcript.lines]
    loose = lenient(text)
    return Errors(
        strict=distance(strict(transcript.text), strict(text)),
        strict_chars=len(strict(transcript.text)),
        lenient=distance(lenient(transcript.text), loose),
        lenient_chars=len(lenient(transcript.text)),
        found=sum(distance_within(line, loose) for line in lines),
        found_chars=sum(map(len, lines)),
        hits=(expected & seen).total(),
        words_expected=expected.total(),
        words_read=seen.total(),
    )
