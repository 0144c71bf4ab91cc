"""What the suites of `modstream eval` do alike: settings, notes on the data, the report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from commands.terminal import counted, say
from models_export.evaluation.labelled_media import File, Found
from models_export.measures.bootstrap import Estimate
from streams.settings import Settings

PART = ".part"
"""After the name of a file that is not all there yet."""

MAX_NAMED = 10
"""Of files that a manifest names and that are not there; the report has all."""


def for_suite(settings: Settings, store: Path, *roots: Path) -> Settings:
    """The settings, but that media come from the folders `roots` and go into a store of their own. What a suite makes
    itself is posted with its bytes, and may be as large as a file.

    Nothing that was read or heard is remembered, so that the times are those of the work.
    """
    return replace(
        settings,
        store=replace(settings.store, url=str(store)),
        media=replace(settings.media, file_roots=roots, max_inline_bytes=settings.media.max_bytes),
        ocr=replace(settings.ocr, cache_pictures=0),
        asr=replace(settings.asr, cache_sounds=0),
    )


def say_missing(found: Found[File], data: Path, what: str) -> None:
    """Notes on what the data folder lacks. `what` a sample is, in the singular."""
    for name in found.absent:
        say(f"note: {data} has no {name}: its {what}s are left out")
    if found.missing:
        left = len(found.missing) - MAX_NAMED
        say(
            f"note: {counted(len(found.missing), what)} of the manifests not there: "
            f"{', '.join(found.missing[:MAX_NAMED])}{f' and {left} more' if left > 0 else ''}"
        )


def write_report(folder: Path, report: msgspec.Struct, predictions: Sequence[bytes], page: str) -> None:
    """`report.json`, `predictions.jsonl` and `report.html`. `predictions`: JSON, a line each."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    put_whole(folder / "report.json", text + b"\n")
    put_whole(folder / "predictions.jsonl", b"".join(line + b"\n" for line in predictions))
    put_whole(folder / "report.html", page.encode())


def ready_folder(folder: Path) -> None:
    """Make it, and see that files can be written there: hours of work should not end in a refusal."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f"report.json{PART}"
    probe.write_bytes(b"")
    probe.unlink()


def put_whole(path: Path, content: bytes) -> None:
    """All of it or nothing: whoever is killed in the middle leaves what was there before."""
    part = path.with_name(path.name + PART)
    part.write_bytes(content)
    part.replace(path)


def rate(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f}"


def share(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.1%}"
