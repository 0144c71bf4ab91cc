"""Which rows of a published training set nothing was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from models_export.evaluation.judgement.suite import Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites.pool import pool_rows

POOL = "text_pool.parquet"

BY_POOL, BY_HASH = "dev rows of the text pool", "one in ten by a hash of the id: the pack may have been trained on them"

ONE_IN = 10
"""Of the rows, where no pool says which are held out."""


def held_out(source: Source, dataset: str, ids: Sequence[str]) -> tuple[frozenset[str], str]:
    """The ids that are held out, and by what they were chosen.

    In a pool, whose ids are `dataset:id`, they are the dev rows; training has seen no other part of the set. Raises
    SuiteError for a pool that lacks the set.
    """
    if not (source.data / POOL).is_file():
        return frozenset(name for name in ids if is_drawn(name)), BY_HASH
    rows = pool_rows(source)
    rows = rows[(rows["dataset"] == dataset) & (rows["split"] == "dev")]
    if not len(rows):
        raise SuiteError(f"{source.data}: no dev rows of {dataset} in its pool; expected the slice that is held out")
    return frozenset(name.partition(":")[2] for name in rows["id"]), BY_POOL


def is_drawn(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % ONE_IN == 0
