"""The labelled text pool: reading it, its licences, and cleaning what its sets left in the text."""

from __future__ import annotations

import html
from pathlib import Path

import pandas as pd

POOL = "text_pool.parquet"
PERMISSIVE = "permissive_sets.tsv"
# germeval2018 writes a line break as |LBR|; a model would learn it as the set's signature.
LINE_BREAK = "|LBR|"


def read_pool(data: Path, *, permissive_only: bool) -> pd.DataFrame:
    """Rows of the pool with `text` and `context` cleaned; no context is an empty string.

    Column `permissive` says which rows may train what ships.

    Raises FileNotFoundError naming the file that `data` lacks.
    """
    for name in (POOL, PERMISSIVE):
        if not (data / name).is_file():
            raise FileNotFoundError(f"{data / name}: expected the data folder with {POOL} and {PERMISSIVE}")
    rows = pd.read_parquet(data / POOL)
    permissive = set(pd.read_csv(data / PERMISSIVE, sep="\t")["dataset"])
    rows["permissive"] = rows["dataset"].isin(permissive)
    if permissive_only:
        rows = rows[rows["permissive"]].reset_index(drop=True)
    rows["text"] = rows["text"].map(clean)
    rows["context"] = rows["context"].fillna("").map(clean)
    return rows


def clean(text: str) -> str:
    """The text as its author saw it: HTML entities resolved, a set's own line break mark replaced."""
    return html.unescape(text).replace(LINE_BREAK, "\n") if "&" in text or LINE_BREAK in text else text
