"""Whether a manifest may be trained and measured on."""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from models_export.datasets.fingerprints import content_key
from models_export.datasets.manifest import Row, scan_manifest
from models_export.datasets.media_files import is_there
from models_export.datasets.splits import RANK, near_rows
from models_export.datasets.template_leaks import template_leaks

LEAST_MEDIA = 0.95
"""Share of a set's media paths that must lead to the file that was hashed."""

MOST_APART = 0.05
"""Between the shares that a class has in two splits of a set that is ours to split."""

EXAMPLES = 20
"""Ids that a finding names; its count is whole."""

TEMPLATES = "models_export.text_expert.functional"

Templates = Iterable[tuple[str, str]]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. Ids stand for rows: texts are not repeated."""

    name: str
    ok: bool
    found: str
    """In one sentence."""
    count: int = 0
    """Of what is wrong."""
    examples: list[str] = []
    by_set: dict[str, float] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `modstream data check --json` prints."""

    manifest: str
    rows: int
    ok: bool
    checks: list[Check]


def check(manifest: Path, data: Path, progress: Callable[[str], None], templates: Templates | None = None) -> Report:
    """All checks. `data`: the folder that media paths start from. `templates`: (language, text with slots) of what
    trains, by default those that the product ships. Raises OSError where the manifest is not there."""
    rows, bad = _scanned(manifest)
    checks: list[Check] = []
    for made in (
        lambda: labels_mapped(len(rows), bad),
        lambda: licences(rows),
        lambda: diagnostic_kept_apart(rows),
        lambda: media_valid(rows, data),
        lambda: nothing_across_splits(rows),
        lambda: nothing_near_across_splits(rows),
        lambda: shares_even(rows),
        lambda: templates_of_our_own(rows, shipped_templates() if templates is None else templates),
    ):
        checks.append(made())
        progress(f"{'ok    ' if checks[-1].ok else 'FAILED'} {checks[-1].name}: {checks[-1].found}")
    return Report(manifest=str(manifest), rows=len(rows), ok=all(one.ok for one in checks), checks=checks)


def labels_mapped(rows: int, bad: Sequence[str]) -> Check:
    """Every line is a row in the canonical taxonomy."""
    share = rows / (rows + len(bad)) if rows or bad else 0.0
    return _check("labels_mapped", f"{share:.2%} of the lines are rows in the canonical taxonomy", bad, empty=not rows)


def licences(rows: Sequence[Row]) -> Check:
    without = [row.id for row in rows if not row.licence.strip()]
    return _check("licence_present", f"{len(without):,} rows without a licence note", without)


def diagnostic_kept_apart(rows: Sequence[Row]) -> Check:
    """A set with diagnostic rows has no others that could train."""
    diagnostic = {row.dataset for row in rows if row.split == "diagnostic"}
    training = [row.id for row in rows if row.dataset in diagnostic and row.split in ("train", "dev")]
    return _check("diagnostic_kept_apart", f"{len(training):,} rows of diagnostic sets in train or dev", training)


def media_valid(rows: Sequence[Row], data: Path) -> Check:
    """The file is there, below the data folder, and is the one that was hashed."""
    files = {(row.dataset, file.path): file for row in rows for file in row.media}
    counts: Counter[str] = Counter(dataset for dataset, _ in files)
    wrong = [(dataset, path) for (dataset, path), file in files.items() if not is_there(data, file)]
    missing = Counter(dataset for dataset, _ in wrong)
    valid = {name: 1 - missing[name] / count for name, count in counts.items()}
    poor = [name for name, share in valid.items() if share < LEAST_MEDIA]
    found = f"{len(files) - len(wrong):,} of {len(files):,} media are valid" + (
        f"; less than {LEAST_MEDIA:.0%} in {', '.join(poor)}" if poor else ""
    )
    paths = [path for _, path in wrong]
    return Check(
        name="media_valid", ok=not poor, found=found, count=len(wrong), examples=paths[:EXAMPLES], by_set=valid
    )


def nothing_across_splits(rows: Sequence[Row]) -> Check:
    """No text and no media file stands in two splits. A caption under two different pictures is two items."""
    seen: dict[str, Row] = {}
    found: list[str] = []
    for row in _compared(rows):
        for key in _keys(row):
            other = seen.setdefault(key, row)
            if other.split != row.split:
                found.append(f"{other.id} ({other.split}) = {row.id} ({row.split})")
    return _check("nothing_across_splits", f"{len(found):,} contents stand in more than one split", found)


def nothing_near_across_splits(rows: Sequence[Row]) -> Check:
    """The same, nearly: texts by their shingles, pictures by their PDQ hash."""
    compared = list(_compared(rows))
    pairs = [
        f"{what}: {compared[one].id} ({compared[one].split}) ~ {compared[other].id} ({compared[other].split})"
        for what, (one, other) in near_rows(compared, np.array([RANK[row.split] for row in compared], np.int64))
    ]
    kinds = Counter(pair.partition(":")[0] for pair in pairs)
    found = f"{kinds['text']:,} pairs of texts and {kinds['picture']:,} of pictures are nearly the same across splits"
    return _check("nothing_near_across_splits", found, pairs)


def shares_even(rows: Sequence[Row]) -> Check:
    """Where the set is ours to split. The figures name the authors' splits too, which we take as they are."""
    by_set: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_set[row.dataset].append(row)
    # Beside a test part of the authors', our rows alone are ours to keep even.
    dealt = {name: [row for row in found if row.split_by == "us"] for name, found in by_set.items()}
    ours = {name for name, found in dealt.items() if found}
    apart = {
        f"{name}/{label}": round(gap, 4)
        for name, found in by_set.items()
        for label in ("abuse", "hate")
        if (gap := _gap(dealt[name] or found, label)) is not None
    }
    uneven = [name for name, gap in apart.items() if gap > MOST_APART and name.partition("/")[0] in ours]
    found = f"{len(ours)} sets are ours to split; {len(uneven)} of their classes differ by more than {MOST_APART:.0%}"
    return Check(name="shares_even", ok=not uneven, found=found, count=len(uneven), examples=uneven, by_set=apart)


def templates_of_our_own(rows: Sequence[Row], templates: Templates) -> Check:
    """No template that trains says what a diagnostic sentence says."""
    known = list(templates)
    leaks = template_leaks(known, [row for row in rows if row.split == "diagnostic"])
    examples = [f"{leak.lang} template {leak.template}: {leak.how}, {leak.row}" for leak in leaks]
    return _check("templates_of_our_own", f"{len(examples)} of {len(known):,} templates are in a suite", examples)


def shipped_templates() -> list[tuple[str, str]]:
    """Imported only here: a manifest can be built without them."""
    return list(importlib.import_module(TEMPLATES).all_templates())


def _check(name: str, found: str, wrong: Sequence[str], *, empty: bool = False) -> Check:
    return Check(name=name, ok=not wrong and not empty, found=found, count=len(wrong), examples=list(wrong[:EXAMPLES]))


def _scanned(manifest: Path) -> tuple[list[Row], list[str]]:
    """The rows, and what is wrong with the lines that are none."""
    rows: list[Row] = []
    bad: list[str] = []
    for found in scan_manifest(manifest):
        if isinstance(found, str):
            bad.append(found)
        else:
            rows.append(found)
    return rows, bad


def _compared(rows: Sequence[Row]) -> Iterator[Row]:
    return (row for row in rows if row.split in RANK)


def _keys(row: Row) -> Iterator[str]:
    """What nobody else's split may have."""
    files = [file.sha256 for file in row.media if file.sha256 is not None]
    yield from (f"media {sha256}" for sha256 in files)
    if row.text and not files:
        yield f"text {content_key(row.text)}"


def _gap(rows: Sequence[Row], label: str) -> float | None:
    """Between the highest and the lowest share of positives of its splits; None where fewer than two judge it."""
    shares: list[float] = []
    for split in ("train", "dev", "test"):
        said = [row.labels.labels[label] for row in rows if row.split == split and label in row.labels.labels]
        if said:
            shares.append(sum(said) / len(said))
    return max(shares) - min(shares) if len(shares) > 1 else None
