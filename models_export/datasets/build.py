"""From the sets that a data folder has to one manifest, and a summary of what is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from models_export.datasets.adapters import ADAPTERS
from models_export.datasets.manifest import DatasetError, MediaFile, Row, read_manifest
from models_export.datasets.media_files import sha256_of
from models_export.datasets.splits import deal, hold_out, placed, splits_of
from processors.media.decoder.decoded import DecoderLimits, Undecodable
from processors.media.decoder.picture import decode

HASHED_SIDE = 512
"""Pixels on the long side: PDQ reduces larger pictures to that itself."""


class SetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest has of one set."""

    dataset: str
    rows: int
    splits: dict[str, int]
    split_by: str
    languages: dict[str, int]
    positives: dict[str, int]
    negatives: dict[str, int]
    """Of each label, over the rows that are not excluded."""
    not_judged: int
    """Rows of which nothing is said as a whole."""
    media: int
    media_missing: int
    licence: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`summary.json`."""

    rows: int
    splits: dict[str, int]
    sets: list[SetSummary]
    absent: list[str]
    """Sets that the data folder does not have."""
    without_pictures: list[str]
    """Sets of which no picture at all is there: their rows are text alone."""


@dataclass(frozen=True, slots=True)
class Built:
    rows: list[Row]
    summary: Summary


def build(data: Path, progress: Callable[[str], None], before: Mapping[str, MediaFile] | None = None) -> Built:
    """All sets of `data`, with hashes of their media; what is held out is kept out of training.

    `before`: files by SHA-256 whose pictures were hashed already.
    Raises DatasetError for a file that is not as its authors published it, and where no set is there at all.
    """
    rows: list[Row] = []
    ours: list[list[Row]] = []
    absent: list[str] = []
    bare: list[str] = []
    for adapter in ADAPTERS:
        folder = adapter.find(data)
        if folder is None:
            absent.append(adapter.dataset)
            continue
        found = _apart(adapter.read(adapter, folder))
        if any(row.media for row in found):
            found = list(_with_media(data, found, before or {}))
            if all(file.sha256 is None for row in found for file in row.media):
                bare.append(adapter.dataset)
                found = [replace(row, media=()) for row in found]
        progress(f"{adapter.dataset}: {len(found):,} rows")
        # A set without anything to choose by is ours to deal; test parts stay what they are.
        if "train" in (splits := splits_of(found)) and "dev" not in splits:
            ours.append([row for row in found if row.split == "train"])
            rows += [row for row in found if row.split != "train"]
        else:
            rows += found
    elsewhere = placed(rows)
    for found in ours:
        rows += deal(found, elsewhere)
    if not rows:
        raise DatasetError(f"{data}: none of the sets is there; expected one of {', '.join(absent)}")
    rows = hold_out(rows)
    progress(f"{splits_of(rows)['excluded']:,} rows excluded")
    return Built(rows, summarised(rows, absent, bare))


def summarised(rows: Sequence[Row], absent: Sequence[str], without_pictures: Sequence[str]) -> Summary:
    by_set: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_set[row.dataset].append(row)
    return Summary(
        rows=len(rows),
        splits=dict(splits_of(rows)),
        sets=[_summary(name, found) for name, found in by_set.items()],
        absent=list(absent),
        without_pictures=list(without_pictures),
    )


def _apart(rows: Iterable[Row]) -> list[Row]:
    """The rows of a set. Raises DatasetError where two have one id."""
    found: dict[str, Row] = {}
    for row in rows:
        if row.id in found:
            raise DatasetError(f"{row.id}: two rows of the set have this id; expected one for each item")
        found[row.id] = row
    return list(found.values())


def hashed_before(manifest: Path) -> dict[str, MediaFile]:
    """SHA-256 -> file, of an earlier manifest: PDQ takes longer than all else. None where there is no such manifest."""
    if not manifest.is_file():
        return {}
    try:
        return {file.sha256: file for row in read_manifest(manifest) for file in row.media if file.sha256 is not None}
    except DatasetError:
        return {}


def _with_media(data: Path, rows: Sequence[Row], before: Mapping[str, MediaFile]) -> Iterator[Row]:
    known: dict[str, MediaFile] = {}
    for row in rows:
        for file in row.media:
            if file.path not in known:
                known[file.path] = _hashed(data, file, before)
        yield replace(row, media=tuple(known[file.path] for file in row.media))


def _hashed(data: Path, file: MediaFile, before: Mapping[str, MediaFile]) -> MediaFile:
    """With its hashes, where the file is there and below the data folder; a picture that is broken has no PDQ hash."""
    path = (data / file.path).resolve()
    if not path.is_relative_to(data.resolve()) or not path.is_file():
        return file
    hashed = replace(file, sha256=sha256_of(path))
    known = before.get(hashed.sha256 or "")
    if known is not None:
        return replace(hashed, pdq=known.pdq, pdq_quality=known.pdq_quality)
    if file.kind != "image":
        return hashed
    try:
        pictures = decode(path.read_bytes(), DecoderLimits(picture_side=HASHED_SIDE)).pictures
    except Undecodable:
        return hashed
    return replace(hashed, pdq=pictures[0].pdq, pdq_quality=pictures[0].pdq_quality) if pictures else hashed


def _summary(name: str, rows: Sequence[Row]) -> SetSummary:
    said = Counter(
        (label, value) for row in rows if row.split != "excluded" for label, value in row.labels.labels.items()
    )
    media = [file for row in rows for file in row.media]
    return SetSummary(
        dataset=name,
        rows=len(rows),
        splits=dict(splits_of(rows)),
        split_by="us" if any(row.split_by == "us" for row in rows) else "authors",
        languages=dict(Counter(row.lang for row in rows)),
        positives={label: count for (label, value), count in sorted(said.items()) if value},
        negatives={label: count for (label, value), count in sorted(said.items()) if not value},
        not_judged=sum(not row.labels.judged for row in rows),
        media=len(media),
        media_missing=sum(file.sha256 is None for file in media),
        licence=rows[0].licence,
    )
