"""What the text expert may have a head for, and what each data set says about each of them.

A head is trained on a row only where its source really judged it. A set or a language in which only one class of a head
occurs gives it no loss there, or the language tag and the set's style alone would come to mean the label.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from models_export.text_expert.functional.drawing import Drawn, Functional
from models_export.text_expert.functional.templates import KINDS
from processors.packs.heads import ATTACK_HEADS, DETAIL_HEADS, IMPLICIT, SEVERITY_HEADS, TARGET_HEADS
from schemas import ATTACKS, TARGETS
from schemas import LABELS as PUBLISHED

CATEGORY_LABELS = tuple(label for label in PUBLISHED if label not in ("abuse", "hate", "misinformation"))
"""What the sets call categories; misinformation none of them judges."""
LABELS = ("abuse", "hate", *CATEGORY_LABELS)
HEADS = (*LABELS, *DETAIL_HEADS)

# Fewer positives than this say more about the few annotators than about the label.
MIN_POSITIVES = 300
# Attacks are fine distinctions within hate, which is learnt beside them.
MIN_ATTACK_POSITIVES = 50
# A set speaks about a category only if it names it this often: a stray tag does not make the other rows negatives.
MIN_SET_POSITIVES = 20
# What one set alone names is that set's topic and style. The sentences of `functional` count as one.
MIN_SETS = 2
# Sentences that are drawn to see what our own templates teach.
DRAWN = 3000

Column = np.ndarray
"""float32 [rows]: 1 positive, 0 negative, NaN not judged."""


def targets(rows: pd.DataFrame) -> np.ndarray:
    """Targets of every row: float32 [rows, len(HEADS)], 1 positive, 0 negative, NaN not judged."""
    values = np.full((len(rows), len(HEADS)), np.nan, np.float32)
    abuse = rows["abuse"].to_numpy(np.float32, na_value=np.nan)
    values[:, 0] = abuse
    values[:, 1] = rows["hate"].to_numpy(np.float32, na_value=np.nan)
    sets = rows["dataset"].to_numpy()
    # Only the sets themselves say that a row without a tag lacks what the tag means; rows that nobody judged do not.
    for source, names, first in (
        ("categories", CATEGORY_LABELS, HEADS.index(CATEGORY_LABELS[0])),
        ("targets", TARGETS, len(LABELS)),
        ("attacks", ATTACKS, len(LABELS) + len(TARGETS)),
    ):
        _tags(values, rows[source], names, first, sets, ~np.isnan(abuse))
    implicit = rows["implicit"].to_numpy(np.float32, na_value=np.nan)
    values[:, HEADS.index(IMPLICIT)] = np.where(abuse == 1, implicit, np.nan)
    severity = rows["severity"].to_numpy(np.float32, na_value=np.nan)
    for head, least in SEVERITY_HEADS.items():
        values[:, HEADS.index(head)] = np.where(np.isnan(severity), np.nan, severity >= least)
    groups = rows["dataset"] + "/" + rows["lang"]
    for by in (groups.to_numpy(), rows["lang"].to_numpy()):
        _drop_one_class(values, by)
    return values


def _tags(
    values: np.ndarray, tags: pd.Series, names: Sequence[str], first: int, sets: np.ndarray, judged: np.ndarray
) -> None:
    named = [set(found) for found in tags]
    for column, name in enumerate(names, start=first):
        has = np.fromiter((name in found for found in named), bool, len(named))
        counts = pd.Series(has).groupby(sets).sum()
        speaks = np.isin(sets, counts.index[counts >= MIN_SET_POSITIVES])
        values[speaks & judged, column] = 0.0
        values[speaks & has, column] = 1.0


def _drop_one_class(values: np.ndarray, by: np.ndarray) -> None:
    for group in np.unique(by):
        inside = by == group
        for column in range(values.shape[1]):
            known = values[inside, column]
            known = known[~np.isnan(known)]
            if known.size and known.min() == known.max():
                values[inside, column] = np.nan


def functional_targets(drawn: Drawn) -> np.ndarray:
    """What a sentence of ours says of each head: float32 [len(HEADS)]."""
    kind = KINDS[drawn.template.kind]
    values = dict.fromkeys(HEADS, np.nan)
    values |= {"abuse": kind.abuse, "hate": kind.hate, "insult": kind.insult if not kind.hate else np.nan}
    values |= {head: kind.hate and name in drawn.targets for head, name in TARGET_HEADS.items()}
    if kind.hate:
        # What a template does not name may still be in it.
        values |= {f"attack.{name}": True for name in drawn.template.attacks}
    else:
        values |= dict.fromkeys(ATTACK_HEADS, False)
    if kind.implicit is not None:
        values[IMPLICIT] = kind.implicit
    return np.array([values[head] for head in HEADS], np.float32)


def taught(functional: Functional) -> set[str]:
    """The heads of which our own sentences hold enough positives to count as a set."""
    rng = random.Random(0)
    drawn = np.stack([functional_targets(functional.draw(rng)) for _ in range(DRAWN)])
    return {head for head, column in zip(HEADS, drawn.T, strict=True) if (column == 1).sum() >= MIN_SET_POSITIVES}


def assessed(train: np.ndarray, dev: np.ndarray, sets: np.ndarray, also: Collection[str] = ()) -> list[int]:
    """Columns of HEADS that earn a head: enough training positives, from several sets, and both classes on dev.

    `train`: [rows, len(HEADS)], with the set of each row in `sets`; `also`: heads that have one more set (`taught`).
    """
    earned: list[int] = []
    for column, head in enumerate(HEADS):
        positive = train[:, column] == 1
        counts = np.unique(sets[positive], return_counts=True)[1]
        least = MIN_ATTACK_POSITIVES if head in ATTACK_HEADS else MIN_POSITIVES
        on_dev = set(np.unique(dev[:, column][~np.isnan(dev[:, column])]).tolist())
        several = int((counts >= MIN_SET_POSITIVES).sum()) + (head in also) >= MIN_SETS
        if positive.sum() >= least and several and {0.0, 1.0} <= on_dev:
            earned.append(column)
    return earned


def describe(columns: Sequence[int], values: np.ndarray) -> dict[str, dict[str, int]]:
    """Positives and negatives per head, for the manifest."""
    return {
        HEADS[column]: {
            "positives": int(np.nansum(values[:, column])),
            "negatives": int(np.sum(values[:, column] == 0)),
        }
        for column in columns
    }
