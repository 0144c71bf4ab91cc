"""`modstream data`: data sets in one manifest, checked, read by the chain itself, and in shards for training."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from commands.arguments import add_json, add_settings, count, settings_of
from commands.failures import CommandFailed
from commands.terminal import columns, counted, cut, put_json, say
from models_export.datasets.manifest import MANIFEST, DatasetError, Row, read_manifest, write_manifest
from streams.assembly import chain_of

if TYPE_CHECKING:  # these load what decodes pictures, which a look at --help does without
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    from models_export.datasets.build import Summary

SUMMARY = "summary.json"
REPORT = "check.json"

EPILOG = """
docs/datasets.md has the sets, the files that they are looked for in, and the manifest's fields.
"""

LICENCE_COLUMNS = 40

SPLITS = ("train", "dev", "test", "diagnostic")


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    build = _action(actions, "build", "write one manifest of all sets of a folder", run_build)
    check = _action(actions, "check", "check a manifest: media, labels, licences, splits", run_check)
    extract = _action(actions, "extract", "read and hear a manifest's media with the chain's OCR and ASR", run_extract)
    shards = _action(actions, "shards", "write tar shards with hard negatives", run_shards)
    for action in (check, extract, shards):
        action.add_argument("--manifest", type=Path, required=True, metavar="FILE", help=f"as `build` wrote {MANIFEST}")
    for action in (build, check, extract, shards):
        action.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that the sets are in")
    for action in (build, extract, shards):
        action.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what is written")
    check.add_argument("--out", type=Path, metavar="DIR", help=f"folder for {REPORT} (default: none is written)")
    extract.add_argument("--limit", type=count, metavar="N", help="only the first N files that were not read yet")
    shards.add_argument("--readings", type=Path, metavar="DIR", help="as `extract` wrote them")
    shards.add_argument("--split", choices=SPLITS, default="train", help="(default: train)")
    shards.add_argument("--items", type=count, default=5_000, metavar="N", help="in a shard (default: 5000)")
    shards.add_argument(
        "--mismatches", type=_share, default=0.5, metavar="SHARE", help="of the pictures, 0..1 (default: 0.5)"
    )
    for action in (build, check, extract, shards):
        add_json(action, "print the summary as JSON, on one line")
    add_settings(extract, ("pack",))


def run_build(args: Namespace) -> int:
    from models_export.datasets.build import build, hashed_before

    data: Path = args.data.resolve()
    try:
        built = build(data, say, hashed_before(args.out / MANIFEST))
        args.out.mkdir(parents=True, exist_ok=True)
        write_manifest(args.out / MANIFEST, built.rows)
    except DatasetError as error:
        raise CommandFailed(str(error)) from error
    (args.out / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(built.summary), indent=1) + b"\n")
    if args.json:
        put_json(msgspec.to_builtins(built.summary))
    _say_summary(built.summary)
    say(f"{counted(len(built.rows), 'row')} written to {args.out / MANIFEST}")
    return 0


def run_check(args: Namespace) -> int:
    from models_export.datasets.check import check
    from models_export.text_expert.functional import TemplateError

    try:
        report = check(args.manifest, args.data.resolve(), say)
    except TemplateError as error:
        raise CommandFailed(str(error)) from error
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    if args.json:
        put_json(msgspec.to_builtins(report))
    failed = [one.name for one in report.checks if not one.ok]
    say(f"{args.manifest}: {counted(report.rows, 'row')}; {'ok' if report.ok else 'failed: ' + ', '.join(failed)}")
    return 0 if report.ok else 1


def run_extract(args: Namespace) -> int:
    from commands.eval_suite import for_suite
    from models_export.datasets.extract import STAGES, extract, items_of, unread

    data: Path = args.data.resolve()
    items, missing = items_of(_rows(args.manifest), data)
    code = version("modstream")
    with tempfile.TemporaryDirectory(prefix="modstream-data-") as folder:
        processors, versions = chain_of(for_suite(settings_of(args), Path(folder), data), code, STAGES)
        reader = f"{versions.pack} {code}"
        todo = unread(items, args.out, reader)[: args.limit]
        done = extract(processors, todo, args.out, reader, lambda count: say(f"{count:,} of {len(todo):,} files read"))
    found = {"files": len(items), "read": done.read, "failed": done.failed, "changed": done.changed, "missing": missing}
    if args.json:
        put_json(found)
    say(", ".join(f"{count:,} {name}" for name, count in found.items()))
    return 0


def run_shards(args: Namespace) -> int:
    from models_export.datasets.readings import ASR, OCR, AsrRead, OcrRead, read_readings
    from models_export.datasets.shards import write_shards

    rows = _rows(args.manifest)
    folder: Path | None = args.readings
    try:
        readings = folder and (read_readings(folder / OCR, OcrRead), read_readings(folder / ASR, AsrRead))
        found = write_shards(
            rows,
            args.data.resolve(),
            readings,
            args.out,
            split=args.split,
            items=args.items,
            mismatches=args.mismatches,
        )
    except DatasetError as error:
        raise CommandFailed(str(error)) from error
    if args.json:
        put_json(msgspec.to_builtins(found))
    say(
        f"{counted(found.items, 'item')} in {counted(len(found.shards), 'shard')}, "
        f"{found.mismatches:,} of them mismatched; {found.left_out:,} left out"
    )
    return 0


def _action(
    actions: _SubParsersAction[ArgumentParser], name: str, what: str, run: Callable[[Namespace], int]
) -> ArgumentParser:
    action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    action.set_defaults(run=run)
    return action


def _rows(manifest: Path) -> list[Row]:
    try:
        return list(read_manifest(manifest))
    except DatasetError as error:
        raise CommandFailed(str(error)) from error


def _say_summary(summary: Summary) -> None:
    header = ("SET", "ROWS", *(split.upper() for split in (*SPLITS, "excluded")), "MEDIA", "MISSING", "LICENCE")
    rows = [
        (
            one.dataset,
            str(one.rows),
            *(str(one.splits.get(split, 0)) for split in (*SPLITS, "excluded")),
            str(one.media),
            str(one.media_missing),
            cut(one.licence, LICENCE_COLUMNS),
        )
        for one in summary.sets
    ]
    for line in columns([header, *rows], frozenset(range(1, len(header) - 1))):
        say(line)
    if summary.absent:
        say(f"not there: {', '.join(summary.absent)}")
    if summary.without_pictures:
        say(f"without pictures, so text alone: {', '.join(summary.without_pictures)}")


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ArgumentTypeError(f"{text!r}: expected a number from 0 to 1")
    return found
