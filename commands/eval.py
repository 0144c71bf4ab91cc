"""`modstream eval`: a labelled suite through the chain's own stages, with metrics and a report."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec.structs import replace

from commands.arguments import add_json, add_settings, count, settings_of
from commands.console import columns, counted, put_json, say
from commands.failures import CommandFailed
from commands.overlay import draw_overlay, encoded
from models_export.bootstrap import Estimate
from models_export.ocr_suite import (
    ROUTE,
    TENANT,
    Figures,
    Reading,
    Report,
    SuiteError,
    encode_prediction,
    evenly,
    page_of,
    read_all,
    read_samples,
    report_of,
    to_show,
)
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from schemas import Status
from streams.assembly import chain_of
from streams.settings import Settings

MAX_NAMED = 10
"""Of pictures that a manifest names and that are not there; the report has all."""

EPILOG = """
Suites: ocr (pictures with known text in DIR/media/ocr_samples and DIR/memes/religious, and photographs without any in
DIR/media/photos_permissive). Writes report.json, predictions.jsonl and report.html to the folder of --out, and a table
to stderr. Fails only where nothing could be evaluated: how good the figures are is for the reader to judge.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("suite", choices=list(SUITES), metavar="SUITE", help=f"which suite: {', '.join(SUITES)}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the labelled data")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report; it is made")
    parser.add_argument("--limit", type=count, metavar="N", help="only N items, evenly spread over the suite")
    add_json(parser, "print the report as JSON, on one line")
    add_settings(parser, ("pack",))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    return SUITES[args.suite](args)


def evaluate_ocr(args: Namespace) -> int:
    data: Path = args.data.resolve()
    try:
        found = read_samples(data)
    except SuiteError as error:
        raise CommandFailed(str(error)) from error
    for name in found.absent:
        say(f"note: {data} has no {name}: its pictures are left out")
    if found.missing:
        left = len(found.missing) - MAX_NAMED
        say(
            f"note: {counted(len(found.missing), 'picture')} of the manifests not there: "
            f"{', '.join(found.missing[:MAX_NAMED])}{f' and {left} more' if left > 0 else ''}"
        )
    samples = evenly(found.samples, args.limit)
    if not samples:
        raise CommandFailed(f"{data}: none of the pictures that its manifests name is there, so that nothing was read")
    args.out.mkdir(parents=True, exist_ok=True)
    code = version("modstream")
    with tempfile.TemporaryDirectory(prefix="modstream-eval-") as folder:
        settings = for_suite(settings_of(args), data, Path(folder))
        processors, versions = chain_of(settings, code, ROUTE)
        readings, seconds = read_all(
            processors, samples, lambda done: say(f"{done:,} of {len(samples):,} pictures read")
        )
        if all(reading.status is Status.FAILED for reading in readings):
            raise CommandFailed(f"none of {counted(len(readings), 'picture')} could be read: {readings[0].reason}")
        shown = _drawn(PictureReader(MediaStore.open(settings.store.url)), to_show(readings))
    report = report_of(found, readings, seconds, code=code, pack=str(versions.pack))
    _write(args.out, report, readings, shown)
    if args.json:
        put_json(msgspec.to_builtins(report))
    _say_table(report)
    say(f"{counted(len(readings), 'picture')} evaluated; {args.out / 'report.html'} shows them")
    return 0


SUITES: dict[str, Callable[[Namespace], int]] = {"ocr": evaluate_ocr}
"""Suite -> what runs it. Adding a suite is adding an entry."""


def for_suite(settings: Settings, data: Path, store: Path) -> Settings:
    """The settings, but that pictures come from the data folder and go into a store of their own.

    No reading is remembered, so that the times are those of reading.
    """
    return replace(
        settings,
        store=replace(settings.store, url=str(store)),
        media=replace(settings.media, file_roots=(data,)),
        ocr=replace(settings.ocr, cache_pictures=0),
    )


def _drawn(pictures: PictureReader, readings: Sequence[Reading]) -> dict[str, bytes]:
    """Sample id -> the picture with its lines, as JPEG."""
    drawn: dict[str, bytes] = {}
    for reading in readings:
        if reading.picture is not None:
            pixels = pictures.read(TENANT, reading.picture.object)
            marked = draw_overlay(
                pixels, reading.lines, reading.unread, scale=reading.picture.scale, origin=reading.picture.origin
            )
            drawn[reading.sample.id] = encoded(marked, ".jpg")
    return drawn


def _write(folder: Path, report: Report, readings: Sequence[Reading], shown: Mapping[str, bytes]) -> None:
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (folder / "report.json").write_bytes(text + b"\n")
    (folder / "predictions.jsonl").write_bytes(b"".join(encode_prediction(reading) + b"\n" for reading in readings))
    (folder / "report.html").write_text(page_of(report, readings, shown), encoding="utf-8")


def _say_table(report: Report) -> None:
    groups = {
        "all": report.overall,
        **report.by_part,
        "Latin script": report.latin,
        **{f"Latin, {name}": of for name, of in report.latin_by_part.items()},
    }
    header = ("", "PICTURES", "CER STRICT", "LENIENT", "FOUND", "RECALL", "CONFIDENCE", "FAILED", "UNSAFE", "PARTIAL")
    rows = [header, *(_row(name, of) for name, of in groups.items())]
    for line in columns(rows, frozenset(range(1, len(header)))):
        say(line)
    no_text = report.no_text
    if no_text.pictures:
        say(f"{no_text.pictures} pictures without text: something was read in {len(no_text.examples)}")
    if report.trusted_misreadings:
        say(f"{counted(len(report.trusted_misreadings), 'picture')} read far off with status ok; the report names them")
    speed = report.speed
    say(f"{speed.ocr_s_per_picture:.3f} s per picture in OCR ({speed.ocr_pictures_per_s:.2f} pictures/s)")


def _row(name: str, of: Figures) -> tuple[str, ...]:
    rates = (of.strict, of.lenient, of.found, of.recall, of.confidence)
    return (name, str(of.pictures), *map(_rate, rates), *map(_share, (of.failed, of.unsafe, of.partial)))


def _rate(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f}"


def _share(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.1%}"
