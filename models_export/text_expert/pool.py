"""The labelled text pool: reading it, its licences, and cleaning what its sets left in the text."""

from __future__ import annotations

import html
from pathlib import Path

import pandas as pd

POOL = "text_pool.parquet"
PERMISSIVE = "permissive_sets.tsv"
COLUMNS = (
    *("id", "dataset", "lang", "text", "split", "abuse", "hate", "categories"),
    *("context", "targets", "attacks", "implicit", "severity"),
)
SPLITS = {"train", "dev"}
# germeval2018 writes a line break as |LBR|; a model would learn it as the set's signature.
LINE_BREAK = "|LBR|"


def read_pool(data: Path, *, permissive_only: bool) -> pd.DataFrame:
    """Rows of the pool with `text` and `context` cleaned; no context is an empty string.

    Column `permissive` says which rows may train what ships.

    Raises FileNotFoundError naming the file that `data` lacks, and ValueError for a pool that is none.
    """
    for name in (POOL, PERMISSIVE):
        if not (data / name).is_file():
            raise FileNotFoundError(f"{data / name}: expected the data folder with {POOL} and {PERMISSIVE}")
    try:
        rows = pd.read_parquet(data / POOL)
    except ValueError as error:  # pyarrow's own are such, and do not name the file
        raise ValueError(f"{data / POOL}: {error}; expected a Parquet file") from None
    if absent := ", ".join(name for name in COLUMNS if name not in rows.columns):
        raise ValueError(f"{data / POOL}: no column {absent}; expected {', '.join(COLUMNS)}")
    # Whatever is not train is measured on: a third name would be, unseen.
    if odd := set(rows["split"]) - SPLITS:
        raise ValueError(f"{data / POOL}: split {', '.join(map(repr, odd))}; expected {' or '.join(sorted(SPLITS))}")
    listed = pd.read_csv(data / PERMISSIVE, sep="\t")
    if "dataset" not in listed.columns:
        raise ValueError(f"{data / PERMISSIVE}: no column dataset; it has {', '.join(listed.columns)}")
    permissive = set(listed["dataset"])
    rows["permissive"] = rows["dataset"].isin(permissive)
    if permissive_only:
        rows = rows[rows["permissive"]].reset_index(drop=True)
    rows["text"] = rows["text"].map(clean)
    rows["context"] = rows["context"].fillna("").map(clean)
    return rows


def clean(text: str) -> str:
    """The text as its author saw it: HTML entities resolved, a set's own line break mark replaced."""
    return html.unescape(text).replace(LINE_BREAK, "\n") if "&" in text or LINE_BREAK in text else text
