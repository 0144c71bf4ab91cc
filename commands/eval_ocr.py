"""`modstream eval ocr`: pictures with known text, and pictures without any, through the stages `fetch` and `ocr`."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from commands.arguments import settings_of
from commands.eval_suite import for_suite, rate, ready_folder, say_missing, share, write_report
from commands.failures import CommandFailed
from commands.overlay import draw_overlay, encoded
from commands.terminal import columns, counted, put_json, say
from models_export.evaluation.labelled_media import TENANT, evenly
from models_export.evaluation.ocr_suite import (
    ROUTE,
    Figures,
    Reading,
    Report,
    encode_prediction,
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


def evaluate(args: Namespace) -> int:
    data: Path = args.data.resolve()
    found = read_samples(data)
    say_missing(found, data, "picture")
    samples = evenly(found.samples, args.limit)
    if not samples:
        raise CommandFailed(f"{data}: none of the pictures that its manifests name is there, so that nothing was read")
    ready_folder(args.out)
    code = version("modstream")
    with tempfile.TemporaryDirectory(prefix="modstream-eval-") as folder:
        settings = for_suite(settings_of(args), Path(folder), data)
        processors, versions = chain_of(settings, code, ROUTE)
        readings, seconds = read_all(
            processors, samples, lambda done: say(f"{done:,} of {len(samples):,} pictures read")
        )
        if all(reading.status is Status.FAILED for reading in readings):
            raise CommandFailed(f"none of {counted(len(readings), 'picture')} could be read: {readings[0].reason}")
        shown = _drawn(PictureReader(MediaStore.open(settings.store.url)), to_show(readings))
    report = report_of(found, readings, seconds, code=code, pack=str(versions.pack))
    write_report(
        args.out, report, [encode_prediction(reading) for reading in readings], page_of(report, readings, shown)
    )
    if args.json:
        put_json(msgspec.to_builtins(report))
    _say_table(report)
    say(f"{counted(len(readings), 'picture')} evaluated; {args.out / 'report.html'} shows them")
    return 0


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
    return (name, str(of.pictures), *map(rate, rates), *map(share, (of.failed, of.unsafe, of.partial)))
