"""The dev rows that a pack is calibrated and measured on, with their truth per head and the pack's logits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_export.evaluation.scoring import LabelledText, PackScorer
from models_export.measures.calibrate import fitting_half
from models_export.text_expert.heads import HEADS, targets
from models_export.text_expert.pool import read_pool

# Rows of a (language, set) pair that only stands beside the others (not trained on, or of one class): enough for a
# figure to two digits.
SAMPLED_ROWS = 120


@dataclass(frozen=True, slots=True)
class DevSet:
    """Rows in parallel arrays."""

    texts: Sequence[LabelledText]
    sets: NDArray[np.str_]
    langs: NDArray[np.str_]
    trained: NDArray[np.bool_]
    """Whether the row's set was trained on (its train rows)."""
    fitting: NDArray[np.bool_]
    """Half A: calibration and thresholds may look at these rows; figures come from the others."""
    truth: NDArray[np.float32]
    """Shape [rows, heads]: 1, 0, or NaN where the set does not judge the label."""
    logits: NDArray[np.float32]
    """Shape [rows, heads]."""
    heads: tuple[str, ...]

    @property
    def pairs(self) -> NDArray[np.str_]:
        """The (language, set) pair of each row, as one name."""
        return np.char.add(np.char.add(self.langs, "/"), self.sets)

    def measuring_texts(self, count: int) -> list[LabelledText]:
        """At most `count` texts that nothing was fitted on, spread over the sets that were trained on."""
        rows = np.flatnonzero(self.trained & ~self.fitting)
        return [self.texts[at] for at in rows[:: max(1, len(rows) // count)][:count]]

    def judged(self, head: str) -> NDArray[np.bool_]:
        return ~np.isnan(self.truth[:, self.heads.index(head)])


def read_rows(
    data: Path, *, permissive_only: bool, limit: int | None = None
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Dev rows to measure on, column `trained` among them, and their targets [rows, HEADS].

    All rows (or `limit`) of the pairs that were trained on and have both classes of abuse, and fewer of the others;
    which ones depends on their ids alone.
    """
    rows = read_pool(data, permissive_only=False)
    rows["trained"] = rows["permissive"] if permissive_only else True
    wanted = np.full((len(rows), len(HEADS)), np.nan, np.float32)
    for side in (True, False):  # as training saw them: a set's neighbours decide what it may say of a label
        inside = np.flatnonzero((rows["trained"] == side).to_numpy())
        if len(inside):
            wanted[inside] = targets(rows.iloc[inside].reset_index(drop=True))
    dev = (rows["split"] == "dev").to_numpy()
    rows, wanted = rows[dev].reset_index(drop=True), wanted[dev]
    pair = [rows["lang"], rows["dataset"]]
    classes = rows["abuse"].groupby(pair).transform("nunique")
    order = rows["id"].map(lambda name: hashlib.sha256(f"sample:{name}".encode()).hexdigest())
    rank = order.groupby(pair).rank()
    full = rows["trained"] & (classes == 2) & ((rank <= limit) if limit else True)
    keep = (full | (rank <= min(SAMPLED_ROWS, limit or SAMPLED_ROWS))).to_numpy(bool)
    return rows[keep].reset_index(drop=True), wanted[keep]


def score(data: Path, scorer: PackScorer, *, permissive_only: bool, limit: int | None = None) -> DevSet:
    """Read dev (see `read_rows`) and put it through the pack. Rows without any token are left out."""
    rows, wanted = read_rows(data, permissive_only=permissive_only, limit=limit)
    texts = [LabelledText(*row) for row in zip(rows["id"], rows["text"], rows["context"], strict=True)]
    logits = scorer.logits(texts, "dev")
    read = ~np.isnan(logits[:, 0])
    columns = [HEADS.index(head) for head in scorer.heads]
    return DevSet(
        texts=[text for text, there in zip(texts, read, strict=True) if there],
        sets=rows["dataset"].to_numpy(str)[read],
        langs=rows["lang"].to_numpy(str)[read],
        trained=rows["trained"].to_numpy(bool)[read],
        fitting=fitting_half(rows["id"])[read],
        truth=wanted[read][:, columns],
        logits=logits[read],
        heads=scorer.heads,
    )
