"""Which labels the text expert may have a head for, and what each data set says about each of them.

A label is a target only where a source really judged it. A set or a language in which only one class of a label occurs
gives that label no loss there, or the language tag and the set's style alone would come to mean the label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CATEGORY_LABELS = (
    "harassment",
    "insult",
    "threat",
    "violence",
    "sexual",
    "self_harm",
    "profanity",
    "sexism",
    "extremism",
    "spam",
)
LABELS = ("abuse", "hate", *CATEGORY_LABELS)

# Fewer positives than this say more about the few annotators than about the label.
MIN_POSITIVES = 300
# A set speaks about a category only if it names it this often: a stray tag does not make the other rows negatives.
MIN_SET_POSITIVES = 20


def targets(rows: pd.DataFrame) -> np.ndarray:
    """Targets of every row: float32 [rows, len(LABELS)], 1 positive, 0 negative, NaN not judged."""
    values = np.full((len(rows), len(LABELS)), np.nan, np.float32)
    values[:, 0] = rows["abuse"].to_numpy(np.float32, na_value=np.nan)
    values[:, 1] = rows["hate"].to_numpy(np.float32, na_value=np.nan)
    named = [set(names) for names in rows["categories"]]
    judged = ~np.isnan(values[:, 0])
    sets = rows["dataset"].to_numpy()
    for column, label in enumerate(CATEGORY_LABELS, start=2):
        has = np.fromiter((label in names for names in named), bool, len(rows))
        counts = pd.Series(has).groupby(sets).sum()
        speaks = np.isin(sets, counts.index[counts >= MIN_SET_POSITIVES])
        values[speaks & judged, column] = 0.0
        values[speaks & has, column] = 1.0
    groups = rows["dataset"] + "/" + rows["lang"]
    for by in (groups.to_numpy(), rows["lang"].to_numpy()):
        _drop_one_class(values, by)
    return values


def _drop_one_class(values: np.ndarray, by: np.ndarray) -> None:
    for group in np.unique(by):
        inside = by == group
        for column in range(values.shape[1]):
            known = values[inside, column]
            known = known[~np.isnan(known)]
            if known.size and known.min() == known.max():
                values[inside, column] = np.nan


def assessed(train: np.ndarray, dev: np.ndarray) -> list[int]:
    """Columns of LABELS that earn a head: enough training positives, both classes on dev."""
    return [
        column
        for column in range(len(LABELS))
        if np.nansum(train[:, column]) >= MIN_POSITIVES
        and {0.0, 1.0} <= set(np.unique(dev[:, column][~np.isnan(dev[:, column])]).tolist())
    ]


def describe(columns: Sequence[int], values: np.ndarray) -> dict[str, dict[str, int]]:
    """Positives and negatives per label, for the manifest."""
    return {
        LABELS[column]: {
            "positives": int(np.nansum(values[:, column])),
            "negatives": int(np.sum(values[:, column] == 0)),
        }
        for column in columns
    }
