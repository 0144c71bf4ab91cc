"""`report.html`: the suite's figures for people, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models_export.evaluation import html_page as page
from models_export.evaluation.asr_suite.figures import Runs, clip_rate, worst
from models_export.evaluation.asr_suite.hearing import Hearing
from models_export.evaluation.asr_suite.report import Figures, Report
from models_export.evaluation.labelled_media import Problem

WORST = 15
"""Clips whose words are shown: those with errors, of a suite of some dozens."""

EXPLAINED = (
    "WER is the edit distance in words over the words of the transcript. Case, punctuation and apostrophes do not "
    "count; in English, neither do the ways to write numbers and titles (Mr, mister). WER is of what is trusted, so "
    "that a segment marked unsafe counts as not heard; “of all” puts these back. CER is the same in letters, without "
    "spaces, and the rate to look at for Japanese and Chinese. Covered: seconds of segments by seconds of speech. "
    "Small numbers are 95% intervals by resampling clips."
)

COLUMNS = ("clips", "transcribed", "minutes", "WER", "WER of all", "CER", "covered")
STATUSES = ("mean confidence", "language found", "unheard", "unsafe seconds", "unsafe segments", "failed", "partial")


def page_of(report: Report, runs: Runs) -> str:
    """The page."""
    return page.page("modstream eval asr", _body(report, runs))


def _body(report: Report, runs: Runs) -> Iterator[str]:
    yield page.paragraph(
        f"{len(runs.default)} clips, modstream {report.code}, pack {report.pack}, heard with "
        f"{report.engine or 'an unknown engine'}, at {report.speed.times_real:.1f} times the speed of sound as it is "
        "played (a single run, on whatever else the machine did)."
    )
    yield page.paragraph(EXPLAINED)
    yield from _figures("Speech", {"all": report.speech, **report.by_lang})
    yield page.whiskers([(name, of.wer) for name, of in report.by_lang.items()], "word error rate by language")
    yield from _figures("By part of the data", report.by_part)
    yield from _figures("Speech in silence and noise, mixed by the suite", report.mixed)
    yield page.heading("Clips in which nobody speaks")
    quiet = report.speechless
    kinds = ", ".join(f"{count} {kind}" for kind, count in quiet.by_kind.items())
    yield page.paragraph(
        f"{quiet.clips} clips, {quiet.minutes:.1f} minutes ({kinds}). Words trusted: {quiet.words}. "
        f"faster-whisper hears {report.faster_whisper.speechless_words} words in them."
    )
    yield from _listed(quiet.examples, "what was heard")
    yield page.paragraph("Heard and not trusted:")
    yield from _listed(quiet.withheld, "why, and what was heard")
    yield page.paragraph("Heard by faster-whisper:")
    yield from _listed(report.faster_whisper.examples, "what was heard")
    yield page.heading("With every chunk checked for phantoms")
    always = report.always
    yield page.paragraph(
        f"{always.phantoms} phantom segments, of which {len(always.missed)} are trusted by default. "
        f"It took {always.seconds:.1f} s, the default {always.by_default_s:.1f} s."
    )
    yield from _listed(always.missed, "the phantom")
    yield page.paragraph("Clips of which other words are trusted:")
    yield from _listed(always.different, "words")
    yield page.heading("Times out of place")
    yield page.paragraph(f"{report.times.segments} segments and {report.times.words} words were looked at.")
    yield from _listed(report.times.outside, "what")
    yield page.heading("faster-whisper, file by file, with its defaults")
    yield _others(report)
    yield page.heading("Confidence and error")
    yield page.points(
        [(of.confidence, clip_rate(of)) for of in runs.default if of.confidence is not None and of.errors is not None],
        "error rate",
        "confidence",
    )
    yield page.heading("Failed")
    yield from _listed(report.failures, "why")
    if report.missing or report.absent:
        yield page.heading("Not there")
        yield from _listed([Problem(id=name, reason="no such file") for name in (*report.absent, *report.missing)], "")
    yield page.heading("Worst")
    for hearing in worst(runs.default, WORST):
        yield _case(hearing)


def _figures(title: str, groups: Mapping[str, Figures]) -> Iterator[str]:
    yield page.heading(title)
    yield page.table(
        ("", *COLUMNS),
        [
            (
                page.bdi(name),
                str(of.clips),
                str(of.transcribed),
                f"{of.minutes:.1f}",
                *map(page.number, (of.wer, of.wer_of_all, of.cer, of.covered)),
            )
            for name, of in groups.items()
        ],
    )
    yield page.table(
        ("", *STATUSES),
        [
            (
                page.bdi(name),
                page.number(of.confidence),
                *map(
                    page.percent,
                    (of.language, of.unheard, of.unsafe_seconds, of.unsafe_segments, of.failed, of.partial),
                ),
            )
            for name, of in groups.items()
        ],
    )


def _others(report: Report) -> str:
    other = report.faster_whisper
    rows = [("all", page.number(other.wer), page.number(report.speech.wer), page.number(other.cer))]
    rows += [
        (page.bdi(lang), page.number(wer), page.number(report.by_lang[lang].wer), page.number(other.cer_by_lang[lang]))
        for lang, wer in other.wer_by_lang.items()
        if lang in report.by_lang
    ]
    return page.table(("", "WER", "WER of this chain", "CER"), rows)


def _listed(problems: Sequence[Problem], why: str) -> Iterator[str]:
    if not problems:
        yield page.paragraph("None.")
        return
    rows = [(page.bdi(problem.id), page.bdi(problem.reason)) for problem in problems]
    yield page.table(("clip", why), rows, numbers=False)


def _case(hearing: Hearing) -> str:
    clip = hearing.clip
    heard = [
        f"{page.bdi(segment.text)} <small>{segment.t_start:.1f}–{segment.t_end:.1f} s, {segment.confidence:.2f}</small>"
        for segment in hearing.segments
    ]
    withheld = [f"{page.bdi(segment.text)} <small>{page.text(segment.unsafe)}</small>" for segment in hearing.unsafe]
    reason = f": {page.bdi(hearing.reason)}" if hearing.reason else ""
    return (
        f"<article><div><b>{page.bdi(clip.id)}</b><br>error rate {clip_rate(hearing):.2f}, "
        f"{page.text(hearing.status)}{reason}; language {page.bdi(hearing.lang or 'none')}"
        f"<p>Said:<br>{page.bdi(clip.transcript)}</p><p>Heard:<br>{'<br>'.join(heard) or '–'}</p>"
        f"<p>Not trusted:<br>{'<br>'.join(withheld) or '–'}</p></div></article>"
    )
