"""The suite's report: what its figures mean."""

from __future__ import annotations

import msgspec

from models_export.evaluation.labelled_media import Problem
from models_export.measures.bootstrap import Estimate


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of a group of clips. All rates come with their interval over clips."""

    clips: int
    transcribed: int
    """Those with a transcript."""
    minutes: float
    """Of sound."""
    words: int
    """Of the transcripts, but for languages written without spaces."""
    wer: Estimate
    """Word error rate of what is trusted: all that a rule or a model will see."""
    wer_of_all: Estimate
    """The same with the unsafe segments at their places."""
    cer: Estimate
    """Error rate of letters, without what divides words; of all languages."""
    language: Estimate
    """Share of the clips with speech and a known language whose language was found."""
    unheard: Estimate
    """Share of the clips with speech in which no word is trusted."""
    unsafe_seconds: Estimate
    """Share of the seconds of all segments that are not trusted."""
    unsafe_segments: Estimate
    """The same of their number."""
    covered: Estimate
    """Seconds of all segments, by the seconds of speech as voice activity detection has them: near 1 where nothing is
    left out and nothing is stretched."""
    confidence: Estimate
    """Mean over the clips in which a word is trusted."""
    failed: Estimate
    unsafe: Estimate
    partial: Estimate
    """Shares of the clips by the modality's status."""


class Speechless(msgspec.Struct, frozen=True, kw_only=True):
    """Clips in which nobody speaks."""

    clips: int
    minutes: float
    by_kind: dict[str, int]
    with_words: Estimate
    """Share in which a word is trusted."""
    words: int
    """Trusted, in all of them together."""
    examples: list[Problem]
    withheld: list[Problem]
    """Words that the model heard and the stage did not trust."""


class Always(msgspec.Struct, frozen=True, kw_only=True):
    """The same clips with every chunk checked for phantoms (`asr.hallucination_check = always`)."""

    phantoms: int
    """Segments that it holds to be phantoms."""
    missed: list[Problem]
    """Those of them that are trusted by default."""
    different: list[Problem]
    """Clips whose trusted words are others, for whatever reason."""
    wer: Estimate
    seconds: float
    by_default_s: float


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Of all segments, trusted or not."""

    segments: int
    words: int
    outside: list[Problem]
    """Segments and words that are not where they can be: within their sound, in order, an end not before its start."""


class OtherHearing(msgspec.Struct, frozen=True, kw_only=True):
    """What faster-whisper hears in the same clips with its defaults, file by file."""

    wer: Estimate
    cer: Estimate
    wer_by_lang: dict[str, Estimate]
    cer_by_lang: dict[str, Estimate]
    speechless_with_words: Estimate
    speechless_words: int
    examples: list[Problem]
    seconds: float


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Wall time, all clips together; without remembered sounds."""

    sound_s: float
    fetch_s: float
    asr_s: float
    times_real: float
    """Seconds of sound per second in the stage `asr`."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`report.json`."""

    suite: str = "asr"
    code: str
    pack: str
    engine: str | None
    """The device and type of numbers that the clips were heard with."""
    parts: dict[str, int]
    """Part of the data -> clips evaluated."""
    missing: list[str]
    """Clips that a manifest names and that are not there."""
    absent: list[str]
    """Manifests that are not there."""
    speech: Figures
    """Recorded clips with speech; what the suite mixed itself stands apart."""
    by_lang: dict[str, Figures]
    by_part: dict[str, Figures]
    mixed: dict[str, Figures]
    """Speech that the suite put into silence and noise, by kind."""
    speechless: Speechless
    times: Times
    always: Always
    faster_whisper: OtherHearing
    failures: list[Problem]
    speed: Speed
