"""The suite's figures: what is reported, and how it follows from the readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from models_export.evaluation.labelled_media import Found, Problem
from models_export.evaluation.ocr_suite.reading import Errors, Reading, Seconds
from models_export.evaluation.ocr_suite.samples import Sample
from models_export.measures.bootstrap import Estimate, rate
from schemas import Status

LATIN = "Latn"

FAR_OFF = 0.5
"""A picture's `found` rate above which its reading says something else: every other letter is wrong."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of a group of pictures. All rates come with their interval over pictures."""

    pictures: int
    transcribed: int
    """Those with a transcript."""
    whole: int
    """Those whose transcript is not known to leave anything out; `strict`, `lenient` and `precision` are of these."""
    chars: int
    """Of the transcripts, in the lenient view."""
    strict: Estimate
    """Character error rate: case counts, a space is a character, order and everything else that was read count."""
    lenient: Estimate
    """The same without case and white space."""
    found: Estimate
    """Lenient character error rate of each line of the transcripts against the nearest part of what was read: order
    between lines and text that the transcript leaves out do not count."""
    recall: Estimate
    """Share of the transcripts' words that were read, in any order."""
    precision: Estimate
    """Share of the words read that are in the transcript, in any order."""
    confidence: Estimate
    """Mean over the pictures in which something was read, but for those in which nothing is written."""
    failed: Estimate
    unsafe: Estimate
    partial: Estimate
    """Shares of the pictures by the modality's status."""
    empty: Estimate
    """Share of the pictures with status `ok` in which nothing was read and nothing is said to be unread."""


class NoText(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures in which nothing is written."""

    pictures: int
    with_text: Estimate
    """Share in which something was read."""
    examples: list[str]


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Wall time, all pictures together; without remembered readings."""

    fetch_s: float
    ocr_s: float
    ocr_s_per_picture: float
    ocr_pictures_per_s: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`report.json`."""

    suite: str = "ocr"
    code: str
    pack: str
    engine: str | None
    """The execution provider that read the pictures."""
    parts: dict[str, int]
    """Part of the data -> pictures evaluated."""
    missing: list[str]
    """Pictures that a manifest names and that are not there."""
    absent: list[str]
    """Manifests that are not there."""
    overall: Figures
    latin: Figures
    """Pictures whose transcript is mostly in Latin letters."""
    latin_by_part: dict[str, Figures]
    by_part: dict[str, Figures]
    by_script: dict[str, Figures]
    by_lang: dict[str, Figures]
    by_kind: dict[str, Figures]
    no_text: NoText
    failures: list[Problem]
    trusted_misreadings: list[Problem]
    """Pictures read far off (`FAR_OFF`) whose status is `ok` all the same."""
    speed: Speed


def report_of(found: Found[Sample], readings: Sequence[Reading], seconds: Seconds, *, code: str, pack: str) -> Report:
    """All figures. `readings`: at least one."""
    latin = [reading for reading in readings if reading.sample.script == LATIN]
    blank = [reading for reading in readings if reading.sample.blank]
    return Report(
        code=code,
        pack=pack,
        engine=next((reading.engine for reading in readings if reading.engine is not None), None),
        parts={name: figures.pictures for name, figures in _grouped(readings, lambda of: of.sample.source).items()},
        missing=list(found.missing),
        absent=list(found.absent),
        overall=figures_of(readings),
        latin=figures_of(latin),
        latin_by_part=_grouped(latin, lambda reading: reading.sample.source),
        by_part=_grouped(readings, lambda reading: reading.sample.source),
        by_script=_grouped(readings, lambda reading: reading.sample.script),
        by_lang=_grouped(readings, lambda reading: reading.sample.lang),
        by_kind=_grouped(readings, lambda reading: reading.sample.kind),
        no_text=NoText(
            pictures=len(blank),
            with_text=rate([bool(reading.lines) for reading in blank], [1] * len(blank)),
            examples=[reading.sample.id for reading in blank if reading.lines],
        ),
        failures=[
            Problem(id=reading.sample.id, reason=reading.reason or "")
            for reading in readings
            if reading.status is Status.FAILED
        ],
        trusted_misreadings=[
            Problem(id=reading.sample.id, reason=f"found CER {found_rate(reading):.2f}, and the status is ok")
            for reading in readings
            if reading.status is Status.OK and found_rate(reading) > FAR_OFF
        ],
        speed=Speed(
            fetch_s=seconds.fetch,
            ocr_s=seconds.ocr,
            ocr_s_per_picture=seconds.ocr / len(readings),
            ocr_pictures_per_s=len(readings) / seconds.ocr if seconds.ocr else 0.0,
        ),
    )


def figures_of(readings: Sequence[Reading]) -> Figures:
    """The figures of a group; it may be empty."""
    errors = [reading.errors for reading in readings if reading.errors is not None]
    whole = [
        reading.errors
        for reading in readings
        if reading.errors is not None and reading.sample.transcript is not None and reading.sample.transcript.whole
    ]
    confidences = [
        reading.confidence for reading in readings if reading.confidence is not None and not reading.sample.blank
    ]
    return Figures(
        pictures=len(readings),
        transcribed=len(errors),
        whole=len(whole),
        chars=sum(of.found_chars for of in errors),
        strict=_summed(whole, lambda of: (of.strict, of.strict_chars)),
        lenient=_summed(whole, lambda of: (of.lenient, of.lenient_chars)),
        found=_summed(errors, lambda of: (of.found, of.found_chars)),
        recall=_summed(errors, lambda of: (of.hits, of.words_expected)),
        precision=_summed(whole, lambda of: (of.hits, of.words_read)),
        confidence=rate(confidences, [1] * len(confidences)),
        failed=_share(readings, Status.FAILED),
        unsafe=_share(readings, Status.UNSAFE),
        partial=_share(readings, Status.PARTIAL),
        empty=rate([of.status is Status.OK and not of.lines and not of.unread for of in readings], [1] * len(readings)),
    )


def found_rate(reading: Reading) -> float:
    """The picture's own `found` error rate; 0 without a transcript."""
    return reading.errors.found / reading.errors.found_chars if reading.errors is not None else 0.0


def worst(readings: Sequence[Reading], count: int) -> list[Reading]:
    """Those read worst, by what of their transcript was not found; then by all that was read."""
    judged = [(reading, reading.errors) for reading in readings if reading.errors is not None]
    judged.sort(key=lambda of: (of[1].found / of[1].found_chars, of[1].lenient / of[1].lenient_chars), reverse=True)
    return [reading for reading, errors in judged[:count] if errors.found]


def _grouped(readings: Sequence[Reading], name: Callable[[Reading], str | None]) -> dict[str, Figures]:
    """By name, the largest group first; those without a name are left out."""
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        group = name(reading)
        if group is not None:
            groups.setdefault(group, []).append(reading)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {group: figures_of(members) for group, members in ordered}


def _summed(errors: Sequence[Errors], counts: Callable[[Errors], tuple[int, int]]) -> Estimate:
    pairs = [counts(of) for of in errors]
    return rate([above for above, _ in pairs], [below for _, below in pairs])


def _share(readings: Sequence[Reading], status: Status) -> Estimate:
    return rate([reading.status is status for reading in readings], [1] * len(readings))
