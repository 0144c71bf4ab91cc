"""The pool: many text sets with one label schema, in one Parquet file. Reading it needs pandas and pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.manifest import DatasetError, Labels, Row, Split
from models_export.datasets.source import Entry, table
from schemas import ATTACKS, LABELS, TARGETS

FILE = "text_pool.parquet"
PERMISSIVE = "permissive_sets.tsv"
LICENCES = "licences"
STATED = "Licence:"

SPLITS: Mapping[str, Split] = {"train": "train", "dev": "dev"}
JUDGED = ("abuse", "hate")
COLUMNS = (
    *("id", "dataset", "licence", "split", "lang", "text", "context", *JUDGED, "categories"),
    *("targets", "attacks", "implicit", "severity", "rationale_spans", "label_note"),
)
SEVERITIES = {str(level): level for level in range(5)}
CATEGORY: Mapping[str, str] = {
    "toxic": "abuse",  # abuse of no kind that the source names
    **{label: label for label in LABELS if label not in ("abuse", "misinformation")},
}


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    path = folder.path / FILE
    try:
        import pandas as pd
    except ImportError:
        raise DatasetError(f"{path}: reading it needs pandas and pyarrow, which the extra `train` installs") from None
    licence_of = _licences(folder.path)
    try:
        frame = pd.read_parquet(path)
    except ValueError as error:  # pyarrow's own are such
        raise DatasetError(f"{path}: {error}; expected a Parquet file") from None
    if absent := ", ".join(name for name in COLUMNS if name not in frame.columns):
        raise DatasetError(f"{path}: no column {absent}; expected {', '.join(COLUMNS)}")
    known = frame.astype(object).where(frame.notna(), None)
    for number, fields in enumerate(known.to_dict("records")):
        entry = Entry(f"{path}, row {number}", fields)
        name = entry.text("dataset")
        source = f"{adapter.source}: {name}, licence class {entry.text('licence')}"
        identity = f"{adapter.dataset}:{entry.text('id')}"
        yield Row(
            id=identity,
            dataset=f"{adapter.dataset}/{name}",
            **_said(entry),
            licence=licence_of.get(name, ""),
            source=source,
        )


def _said(entry: Entry) -> dict[str, Any]:
    fields = entry.fields
    named = [entry.meaning("categories", name, CATEGORY) for name in fields["categories"]]
    judged = {name: bool(fields[name]) for name in JUDGED if fields[name] is not None}
    abusive = judged.get("abuse")
    severity = fields["severity"]
    return {
        "split": entry.mapped("split", SPLITS),
        "lang": entry.text("lang"),
        "text": entry.text("text"),
        "context": entry.maybe("context"),
        "labels": Labels(
            # A category is there or was not named. Abuse and hate have columns of their own, which alone decide them.
            labels={**judged, **{name: True for name in named if name not in JUDGED}},
            targets=_whom(entry, "targets", TARGETS, abusive),
            attacks=_whom(entry, "attacks", ATTACKS, abusive),
            implicit=None if fields["implicit"] is None else bool(fields["implicit"]),
            severity=None if severity is None else entry.meaning("severity", f"{severity:g}", SEVERITIES),
        ),
        "rationale": tuple((int(start), int(end)) for start, end in fields["rationale_spans"]),
        "source_labels": (entry.text("label_note"),),
    }


def _whom(entry: Entry, field: str, known: Sequence[str], abusive: bool | None) -> tuple[str, ...] | None:
    itself = {name: name for name in known}
    names = tuple(entry.meaning(field, name, itself) for name in entry.fields[field])
    return names or (() if abusive is False else None)


def _licences(data: Path) -> dict[str, str]:
    """As the folder states them: in a file for each set, or in the list of permissive ones."""
    found = {path.stem: line for path in sorted((data / LICENCES).glob("*.txt")) if (line := _stated(path))}
    permissive = data / PERMISSIVE
    if permissive.is_file():
        found |= {entry.text("dataset"): entry.text("licence as stated") for entry in table(permissive, "\t")}
    return found


def _stated(path: Path) -> str | None:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix(STATED).strip() for line in lines if line.startswith(STATED)), None)


POOL = Adapter(
    dataset="pool",
    folders=(),
    files=(FILE,),
    licence="",
    source="pool of text sets with one label schema",
    read=_read,
)
