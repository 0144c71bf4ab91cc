"""How the suite's figures follow from what was heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from models_export.evaluation.asr_suite.baseline import Baseline
from models_export.evaluation.asr_suite.hearing import Errors, Hearing
from models_export.evaluation.asr_suite.made import PART
from models_export.evaluation.asr_suite.report import (
    Always,
    Figures,
    OtherHearing,
    Report,
    Speechless,
    Speed,
    Times,
)
from models_export.evaluation.asr_suite.samples import Clip, Spoken
from models_export.evaluation.asr_suite.words import words
from models_export.evaluation.labelled_media import Found, Problem
from models_export.measures.bootstrap import Estimate, rate
from schemas import AsrSegment, Status

TIME_SLACK_S = 0.05
"""How far a segment may reach beyond its sound: Whisper's times are multiples of 0.02 s, a frame of voice activity
detection is 0.032 s."""

SAME = 0.5
"""Two segments are of the same words where they overlap by this share of the shorter one, at least."""

PHANTOM = "phantom"


@dataclass(frozen=True, slots=True)
class Runs:
    """All clips as heard by default, with every chunk checked, and by faster-whisper, in the same order; and the wall
    time that each took, in seconds."""

    default: Sequence[Hearing]
    always: Sequence[Hearing]
    baseline: Sequence[Baseline]
    fetch_s: float
    default_s: float
    always_s: float
    baseline_s: float


def report_of(found: Found[Clip], runs: Runs, *, code: str, pack: str) -> Report:
    """All figures."""
    hearings = runs.default
    recorded = [of for of in hearings if of.clip.source != PART and of.clip.spoken is Spoken.YES]
    mixed = [of for of in hearings if of.clip.source == PART and of.clip.spoken is Spoken.YES]
    sound_s = sum(of.seconds for of in hearings)
    return Report(
        code=code,
        pack=pack,
        engine=next((of.engine for of in hearings if of.engine is not None), None),
        parts=counts(of.clip.source for of in hearings),
        missing=list(found.missing),
        absent=list(found.absent),
        speech=figures_of(recorded),
        by_lang=_grouped(recorded, lambda of: of.clip.lang),
        by_part=_grouped(recorded, lambda of: of.clip.source),
        mixed=_grouped(mixed, lambda of: of.clip.kind),
        speechless=speechless_of(hearings),
        times=times_of(hearings),
        always=always_of(runs),
        faster_whisper=other_of(runs),
        failures=[Problem(id=of.clip.id, reason=of.reason or "") for of in hearings if of.status is Status.FAILED],
        speed=Speed(
            sound_s=sound_s,
            fetch_s=runs.fetch_s,
            asr_s=runs.default_s,
            times_real=sound_s / runs.default_s if runs.default_s else 0.0,
        ),
    )


def figures_of(hearings: Sequence[Hearing]) -> Figures:
    """The figures of a group; it may be empty."""
    errors = [of.errors for of in hearings if of.errors is not None]
    errors_of_all = [of.errors_of_all for of in hearings if of.errors_of_all is not None]
    with_speech = [of for of in hearings if of.clip.spoken is Spoken.YES]
    labelled = [of for of in with_speech if of.clip.lang is not None]
    confidences = [of.confidence for of in hearings if of.confidence is not None]
    every = [(*of.segments, *of.unsafe) for of in hearings]
    return Figures(
        clips=len(hearings),
        transcribed=len(errors),
        minutes=_minutes(hearings),
        words=sum(of.words_said for of in errors),
        wer=word_rate(errors),
        wer_of_all=word_rate(errors_of_all),
        cer=letter_rate(errors),
        language=_share([of.lang == of.clip.lang for of in labelled]),
        unheard=_share([not words(of.text) for of in with_speech]),
        unsafe_seconds=rate([_seconds(of.unsafe) for of in hearings], [_seconds(of) for of in every]),
        unsafe_segments=rate([len(of.unsafe) for of in hearings], [len(of) for of in every]),
        covered=rate([_seconds(of) for of in every], [of.speech_seconds for of in hearings]),
        confidence=rate(confidences, [1] * len(confidences)),
        failed=_share([of.status is Status.FAILED for of in hearings]),
        unsafe=_share([of.status is Status.UNSAFE for of in hearings]),
        partial=_share([of.status is Status.PARTIAL for of in hearings]),
    )


def speechless_of(hearings: Sequence[Hearing]) -> Speechless:
    quiet = [of for of in hearings if of.clip.spoken is Spoken.NO]
    return Speechless(
        clips=len(quiet),
        minutes=_minutes(quiet),
        by_kind=counts(of.clip.kind for of in quiet),
        with_words=_share([bool(words(of.text)) for of in quiet]),
        words=sum(len(words(of.text)) for of in quiet),
        examples=[Problem(id=of.clip.id, reason=of.text) for of in quiet if words(of.text)],
        withheld=[
            Problem(id=of.clip.id, reason=f"{segment.unsafe}: {segment.text.strip()}")
            for of in quiet
            for segment in of.unsafe
        ],
    )


def times_of(hearings: Sequence[Hearing]) -> Times:
    segments = [segment for of in hearings for segment in (*of.segments, *of.unsafe)]
    return Times(
        segments=len(segments),
        words=sum(len(segment.words) for segment in segments),
        outside=[Problem(id=of.clip.id, reason=reason) for of in hearings for reason in _out_of_place(of)],
    )


def always_of(runs: Runs) -> Always:
    missed: list[Problem] = []
    phantoms = 0
    for default, always in zip(runs.default, runs.always, strict=True):
        for phantom in (segment for segment in always.unsafe if segment.unsafe == PHANTOM):
            phantoms += 1
            if any(overlap(phantom, trusted) >= SAME for trusted in default.segments):
                missed.append(Problem(id=default.clip.id, reason=phantom.text.strip()))
    return Always(
        phantoms=phantoms,
        missed=missed,
        different=[
            Problem(id=default.clip.id, reason=f"by default “{default.text}”, with all checked “{always.text}”")
            for default, always in zip(runs.default, runs.always, strict=True)
            if words(default.text) != words(always.text)
        ],
        wer=word_rate([of.errors for of in runs.always if of.errors is not None and of.clip.source != PART]),
        seconds=runs.always_s,
        by_default_s=runs.default_s,
    )


def other_of(runs: Runs) -> OtherHearing:
    quiet = [of for of in runs.baseline if of.clip.spoken is Spoken.NO]
    judged = [
        (of.clip.lang or "", of.errors) for of in runs.baseline if of.errors is not None and of.clip.source != PART
    ]
    langs = sorted({lang for lang, _ in judged})
    by_lang = {lang: [errors for of, errors in judged if of == lang] for lang in langs}
    return OtherHearing(
        wer=word_rate([errors for _, errors in judged]),
        cer=letter_rate([errors for _, errors in judged]),
        wer_by_lang={lang: word_rate(errors) for lang, errors in by_lang.items()},
        cer_by_lang={lang: letter_rate(errors) for lang, errors in by_lang.items()},
        speechless_with_words=_share([bool(words(of.text)) for of in quiet]),
        speechless_words=sum(len(words(of.text)) for of in quiet),
        examples=[Problem(id=of.clip.id, reason=of.text) for of in quiet if words(of.text)],
        seconds=runs.baseline_s,
    )


def clip_rate(hearing: Hearing) -> float:
    """The clip's own error rate, of words or, without spaces between them, of letters; 0 without a transcript."""
    errors = hearing.errors
    if errors is None:
        return 0.0
    return errors.words / errors.words_said if errors.words_said else errors.letters / errors.letters_said


def worst(hearings: Sequence[Hearing], count: int) -> list[Hearing]:
    """Those heard worst, of those with an error."""
    return [of for of in sorted(hearings, key=clip_rate, reverse=True)[:count] if clip_rate(of)]


def word_rate(errors: Sequence[Errors]) -> Estimate:
    return rate([of.words for of in errors], [of.words_said for of in errors])


def letter_rate(errors: Sequence[Errors]) -> Estimate:
    return rate([of.letters for of in errors], [of.letters_said for of in errors])


def counts(names: Iterable[str]) -> dict[str, int]:
    """How often each name is there, in the order of their first."""
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def overlap(one: AsrSegment, other: AsrSegment) -> float:
    """Seconds that both have in common, by the seconds of the shorter one; 0..1."""
    common = min(one.t_end, other.t_end) - max(one.t_start, other.t_start)
    shorter = min(one.t_end - one.t_start, other.t_end - other.t_start)
    return max(0.0, common / shorter) if shorter > 0 else 0.0


def _out_of_place(hearing: Hearing) -> list[str]:
    first, last = hearing.starts_s - TIME_SLACK_S, hearing.starts_s + hearing.seconds + TIME_SLACK_S
    reasons: list[str] = []
    for segments in (hearing.segments, hearing.unsafe):
        before = first
        for segment in segments:
            if not before <= segment.t_start <= segment.t_end <= last:
                reasons.append(f"segment {segment.t_start:.2f}–{segment.t_end:.2f} s: {segment.text.strip()}")
            before = segment.t_start
            reasons += [
                f"word {word.t_start:.2f}–{word.t_end:.2f} s: {word.text.strip()}"
                for word in segment.words
                if not segment.t_start - TIME_SLACK_S <= word.t_start <= word.t_end <= segment.t_end + TIME_SLACK_S
            ]
    return reasons


def _grouped(hearings: Sequence[Hearing], name: Callable[[Hearing], str | None]) -> dict[str, Figures]:
    """By name, the largest group first; those without a name are left out."""
    groups: dict[str, list[Hearing]] = {}
    for hearing in hearings:
        group = name(hearing)
        if group is not None:
            groups.setdefault(group, []).append(hearing)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {group: figures_of(members) for group, members in ordered}


def _share(holds: Sequence[bool]) -> Estimate:
    return rate(holds, [1] * len(holds))


def _seconds(segments: Sequence[AsrSegment]) -> float:
    return sum(segment.t_end - segment.t_start for segment in segments)


def _minutes(hearings: Sequence[Hearing]) -> float:
    return sum(of.seconds for of in hearings) / 60
