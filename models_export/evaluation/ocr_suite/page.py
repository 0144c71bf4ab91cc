"""`report.html`: the suite's figures for people, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models_export.evaluation import html_page as page
from models_export.evaluation.labelled_media import Problem
from models_export.evaluation.ocr_suite.figures import FAR_OFF, Figures, Report, found_rate, worst
from models_export.evaluation.ocr_suite.reading import Reading

WORST = 12
"""Pictures shown in full: a screen or two, and a page that still opens at once."""

LISTED = 50
"""Pictures named in a list; `report.json` has all of them."""

EXPLAINED = (
    "CER is Levenshtein's distance in code points over the length of the transcript, after NFKC. Strict: case and "
    "spaces count. Lenient: neither does. Found: lenient, each line of a transcript against the nearest part of what "
    "was read, so that order and what a transcript leaves out do not count. Strict, lenient and precision are of "
    "transcripts that are not known to leave anything out. Small numbers are 95% intervals by resampling pictures."
)

COLUMNS = ("pictures", "transcribed", "CER strict", "CER lenient", "CER found", "word recall", "word precision")
STATUSES = ("mean confidence", "failed", "unsafe", "partial", "empty and ok")


def page_of(report: Report, readings: Sequence[Reading], pictures: Mapping[str, bytes]) -> str:
    """The page. `pictures`: sample id -> JPEG to show beside the reading, for as many as there are."""
    return page.page("modstream eval ocr", _body(report, readings, pictures))


def to_show(readings: Sequence[Reading]) -> list[Reading]:
    """The readings that the page shows in full."""
    return worst(readings, WORST)


def _body(report: Report, readings: Sequence[Reading], pictures: Mapping[str, bytes]) -> Iterator[str]:
    yield page.paragraph(
        f"{report.overall.pictures} pictures, modstream {report.code}, pack {report.pack}, "
        f"engine {report.engine or 'unknown'}. Reading took {report.speed.ocr_s_per_picture:.3f} s per picture "
        f"({report.speed.ocr_pictures_per_s:.2f} pictures/s), fetching all of them {report.speed.fetch_s:.1f} s."
    )
    yield page.paragraph(EXPLAINED)
    groups = {
        "all": report.overall,
        "Latin script": report.latin,
        **{f"Latin, {name}": of for name, of in report.latin_by_part.items()},
    }
    yield from _figures("Overall", groups)
    yield page.whiskers(
        [
            (f"{name}, {view}", estimate)
            for name, of in groups.items()
            for view, estimate in (("strict", of.strict), ("lenient", of.lenient), ("found", of.found))
        ],
        "character error rates",
    )
    for title, by in (
        ("By part of the data", report.by_part),
        ("By script", report.by_script),
        ("By language", report.by_lang),
        ("By kind", report.by_kind),
    ):
        yield from _figures(title, by)
        yield page.whiskers([(name, of.found) for name, of in by.items()], f"{title}: CER found")
    yield page.heading("Confidence and error")
    yield page.paragraph("A reader that knows when it is wrong has its points on the diagonal from top left.")
    yield page.points(
        [(of.confidence, found_rate(of)) for of in readings if of.confidence is not None and of.errors is not None],
        "CER found",
        "confidence",
    )
    no_text = report.no_text
    yield page.heading("Pictures in which nothing is written")
    yield page.paragraph(f"{no_text.pictures} pictures; something was read in {len(no_text.examples)} of them.")
    yield from _listed([Problem(id=name, reason="something was read") for name in no_text.examples])
    yield page.heading("Failed")
    yield from _listed(report.failures)
    yield page.heading(f"Read far off (CER found over {FAR_OFF}), and the status is ok")
    yield from _listed(report.trusted_misreadings)
    if report.missing or report.absent:
        yield page.heading("Not there")
        yield from _listed([Problem(id=name, reason="no such file") for name in (*report.absent, *report.missing)])
    yield page.heading("Worst")
    for reading in to_show(readings):
        yield _case(reading, pictures.get(reading.sample.id))


def _figures(title: str, groups: Mapping[str, Figures]) -> Iterator[str]:
    yield page.heading(title)
    yield page.table(
        ("", *COLUMNS),
        [
            (
                page.bdi(name),
                str(of.pictures),
                str(of.transcribed),
                *map(page.number, (of.strict, of.lenient, of.found, of.recall, of.precision)),
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
                *map(page.percent, (of.failed, of.unsafe, of.partial, of.empty)),
            )
            for name, of in groups.items()
        ],
    )


def _listed(problems: Sequence[Problem]) -> Iterator[str]:
    if not problems:
        yield page.paragraph("None.")
        return
    rows = [(page.bdi(problem.id), page.bdi(problem.reason)) for problem in problems[:LISTED]]
    yield page.table(("picture", "why"), rows, numbers=False)
    if len(problems) > LISTED:
        yield page.paragraph(f"And {len(problems) - LISTED} more.")


def _case(reading: Reading, jpeg: bytes | None) -> str:
    sample = reading.sample
    expected = sample.transcript.lines if sample.transcript is not None else ()
    read = [f"{page.bdi(line.text)} <small>{line.confidence:.2f}</small>" for line in reading.lines]
    reason = f": {page.bdi(reading.reason)}" if reading.reason else ""
    return (
        f"<article>{page.picture(jpeg, sample.id) if jpeg is not None else ''}<div><b>{page.bdi(sample.id)}</b><br>"
        f"CER found {found_rate(reading):.2f}, {page.text(reading.status)}{reason}; {len(reading.unread)} lines unread"
        f"<p>Expected:<br>{'<br>'.join(map(page.bdi, expected))}</p><p>Read:<br>{'<br>'.join(read) or '–'}</p></div>"
        "</article>"
    )
