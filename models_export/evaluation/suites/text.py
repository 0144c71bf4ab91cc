"""`text`: the dev rows of the text pool that nothing was fitted on, by language and set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.judgement.figures import averaged
from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Average, Item, Source, Suite, Table
from models_export.evaluation.suites.baselines import baselines
from models_export.evaluation.suites.pool import permissive_only, pool_module, post_of, reading_pool
from models_export.measures.calibrate import fitting_half
from models_export.measures.confusion import cells, macro_f1
from models_export.measures.levels import average_precision, level_counts

ENGLISH, OTHERS = "English", "other languages"
TRAINED, ZERO_SHOT = "trained", "zero-shot"


def read(source: Source) -> list[Item]:
    """The same rows as a pack's figures are measured on: the half that calibration and thresholds have not seen of the
    sets that the pack was trained on, and all rows (a sample of each) of the others."""
    devset = pool_module("models_export.evaluation.devset")
    heads = pool_module("models_export.text_expert.heads").HEADS
    least = pool_module("models_export.evaluation.pack_figures").MIN_PAIR_ROWS
    with reading_pool(source.data):
        rows, wanted = devset.read_rows(source.data, permissive_only=permissive_only(source))
    judged = ~np.isnan(wanted[:, heads.index("abuse")])
    pairs = (rows["lang"] + "/" + rows["dataset"]).to_numpy(str)
    names, counts = np.unique(pairs[judged], return_counts=True)
    counted = dict(zip(names.tolist(), (counts >= least).tolist(), strict=True))
    measuring = ~fitting_half(rows["id"]) | ~rows["trained"].to_numpy(bool)
    found = [
        _item(row, pair, truth, counted=counted.get(pair, False))
        for row, pair, truth, kept in zip(
            rows.itertuples(), pairs.tolist(), _truths(heads, wanted), measuring, strict=True
        )
        if kept
    ]
    return sorted((item for item in found if item.truth), key=lambda item: (item.groups["pair"], item.post.post_id))


def _truths(heads: Sequence[str], wanted: NDArray[np.float32]) -> Iterator[dict[str, int]]:
    for row in wanted.tolist():
        yield {head: int(holds) for head, holds in zip(heads, row, strict=True) if not math.isnan(holds)}


def _item(row: Any, pair: str, truth: dict[str, int], *, counted: bool) -> Item:
    groups = {
        "lang": row.lang,
        "dataset": row.dataset,
        "pair": pair,
        "content_type": "text with context" if row.context else "text",
        "seen": TRAINED if row.trained else ZERO_SHOT,
    }
    if counted and row.trained:
        groups["average"] = ENGLISH if row.lang == "en" else OTHERS
    return Item(post_of(row), groups, truth)


AVERAGES = tuple(
    Average(f"abuse, mean of sets: {name}", "abuse", over="pair", among="average", value=name)
    for name in (ENGLISH, OTHERS)
)


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    """Abuse by (language, set) pair; only those of a mean count in it."""
    rows: dict[str, dict[str, float | int | str]] = {}
    for title, kinds in (
        *((name, Average(name, "abuse", over="pair", among="average", value=name)) for name in (ENGLISH, OTHERS)),
        (ZERO_SHOT, Average(ZERO_SHOT, "abuse", over="pair", among="seen", value=ZERO_SHOT)),
    ):
        for name, found in averaged(predictions, kinds):
            rows[name] = {
                "in the mean of": title if title != ZERO_SHOT else "none: zero-shot",
                "items": len(found.truth),
                "positives": int(found.truth.sum()),
                "macro-F1": float(macro_f1(cells(found.said, found.truth))),
                "average precision": float(average_precision(level_counts(found.scores, found.truth))),
            }
    return {"Abuse by language and set": rows}


SUITE = Suite(
    name="text",
    about="Dev rows of the text pool that neither calibration nor thresholds have seen. Figures over all items are of "
    "the sets that the pack was trained on; the others are the group zero-shot. What a set calls abuse is its own "
    "idea, so the means over sets are the figures to compare packs by.",
    read=read,
    labels=("abuse", "hate"),
    groups=("lang", "dataset", "content_type", "seen"),
    core=("seen", TRAINED),
    averages=AVERAGES,
    own=own,
    baselines=baselines,
)
