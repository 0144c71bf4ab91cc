"""What the chain's stages hear in a clip, and how far that is from what is said there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models_export.evaluation import labelled_media
from models_export.evaluation.asr_suite.samples import Clip
from models_export.evaluation.asr_suite.words import UNSPACED, letters, words
from models_export.evaluation.labelled_media import through
from models_export.measures.edit_distance import distance, sequence_distance
from processors.contract import AnyProcessor, Outcome, ProcessingError
from schemas import AsrSegment, Modality, Stage, Status

ROUTE = (Stage.FETCH, Stage.ASR)
MEDIA_ID = "clip"
SPEECH = "speech"

CHUNK = 16
"""Clips that go through the stages together: some batches, and some seconds between two signs of life."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Counts of one clip with a transcript; a rate is a sum of these over a sum of the lengths beside them."""

    words: int
    """Edit distance of what is said and what was heard, in words; 0 where words are written without spaces."""
    words_said: int
    letters: int
    """The same in letters, without what divides words."""
    letters_said: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """One clip's outcome."""

    clip: Clip
    status: Status
    reason: str | None = None
    starts_s: float = 0.0
    """Where the sound begins on the clip's own timeline."""
    seconds: float = 0.0
    """How long the sound is; 0 where there is none."""
    speech_seconds: float = 0.0
    """Of speech, as voice activity detection has it."""
    segments: tuple[AsrSegment, ...] = ()
    """Heard and trusted, in the order of time."""
    unsafe: tuple[AsrSegment, ...] = ()
    """Heard and not trusted."""
    confidence: float | None = None
    """Mean of the trusted segments', by their seconds."""
    lang: str | None = None
    engine: str | None = None
    errors: Errors | None = None
    """Of the trusted segments; None where there is no transcript."""
    errors_of_all: Errors | None = None
    """Of all segments, the unsafe ones at their places."""

    @property
    def text(self) -> str:
        """What was heard and is trusted."""
        return text_of(self.segments)


def fetch_all(
    processor: AnyProcessor, clips: Sequence[Clip], progress: Callable[[int], None]
) -> tuple[list[Outcome], float]:
    """Every clip as a post of its own through the stage `fetch`, and the wall time that this took, in seconds.

    `progress` is told now and then how many have been fetched; so it is in `hear_all`.
    """
    posts: list[Outcome] = [
        labelled_media.record_of(clip, number, media_id=MEDIA_ID, kind=clip.media, route=ROUTE)
        for number, clip in enumerate(clips)
    ]
    return _timed(processor, posts, progress)


def hear_all(
    processor: AnyProcessor, clips: Sequence[Clip], fetched: Sequence[Outcome], progress: Callable[[int], None]
) -> tuple[list[Hearing], float]:
    """What the stage `asr` hears in the clips, and the wall time that this took, in seconds."""
    outcomes, seconds = _timed(processor, fetched, progress)
    return [hearing_of(clip, outcome) for clip, outcome in zip(clips, outcomes, strict=True)], seconds


def hearing_of(clip: Clip, outcome: Outcome) -> Hearing:
    """What a clip's outcome says, compared with its transcript. In one that failed nothing was heard."""
    if isinstance(outcome, ProcessingError):
        errors = compared(clip, "")
        return Hearing(clip, Status.FAILED, outcome.reason, errors=errors, errors_of_all=errors)
    said = outcome.modalities.get(SPEECH) or Modality(status=Status.OK)
    sounds = outcome.asr.sounds if outcome.asr is not None else ()
    segments = tuple(segment for sound in sounds for segment in sound.segments)
    unsafe = tuple(segment for sound in sounds for segment in sound.unsafe)
    confidences = [sound.confidence for sound in sounds if sound.confidence is not None]
    heard = sorted((*segments, *unsafe), key=lambda segment: segment.t_start)
    return Hearing(
        clip,
        said.status,
        said.reason,
        starts_s=min((sound.t for _, sound in outcome.sounds), default=0.0),
        seconds=sum(sound.seconds for _, sound in outcome.sounds),
        speech_seconds=sum(sound.speech_seconds for sound in sounds),
        segments=segments,
        unsafe=unsafe,
        confidence=sum(confidences) / len(confidences) if confidences else None,
        lang=outcome.asr.lang if outcome.asr is not None else None,
        engine=outcome.asr.engine if outcome.asr is not None else None,
        errors=compared(clip, text_of(segments)),
        errors_of_all=compared(clip, text_of(heard)),
    )


def text_of(segments: Sequence[AsrSegment]) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def compared(clip: Clip, text: str) -> Errors | None:
    """How far a text is from what is said in a clip; None where nobody wrote that down."""
    if clip.transcript is None:
        return None
    said, heard = words(clip.transcript, clip.lang), words(text, clip.lang)
    spaced = clip.lang not in UNSPACED
    return Errors(
        words=sequence_distance(said, heard) if spaced else 0,
        words_said=len(said) if spaced else 0,
        letters=distance(letters(clip.transcript, clip.lang), letters(text, clip.lang)),
        letters_said=len(letters(clip.transcript, clip.lang)),
    )


def _timed(
    processor: AnyProcessor, outcomes: Sequence[Outcome], progress: Callable[[int], None]
) -> tuple[list[Outcome], float]:
    done: list[Outcome] = []
    began_s = time.perf_counter()
    for start in range(0, len(outcomes), CHUNK):
        done += through(processor, outcomes[start : start + CHUNK])
        progress(len(done))
    return done, time.perf_counter() - began_s
