"""`traffic`: everyday posts, which nobody judged and most of which are benign. What goes to review costs people."""

from __future__ import annotations

from collections.abc import Sequence

from models_export.evaluation.judgement.figures import review_of, share
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites.pool import pool_module, pool_rows, post_of
from processors.policy import LANG_UNSUPPORTED
from schemas import LABELS


def read(source: Source) -> list[Item]:
    rows = pool_rows(source)
    everyday = pool_module("models_export.evaluation.pack_figures").EVERYDAY_SETS
    rows = rows[(rows["split"] == "dev") & rows["dataset"].isin(everyday)].sort_values(["lang", "dataset", "id"])
    if not len(rows):
        raise SuiteError(f"{source.data}: no dev rows of {' or '.join(everyday)} in its pool; expected everyday posts")
    return [Item(post_of(row), {"lang": row.lang, "dataset": row.dataset}) for row in rows.itertuples()]


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    """By language: what is flagged, and what for."""
    judged = [of for of in predictions if of.action is not None]
    groups = {"all": judged, **named(judged, "lang")}
    labels = [label for label in LABELS if any(label in of.probabilities for of in judged)]
    return {
        "Flagged": {name: _flagged(members, labels) for name, members in groups.items() if members},
    }


def _flagged(predictions: Sequence[Prediction], labels: Sequence[str]) -> dict[str, Cell]:
    count = len(predictions)
    return {
        "posts": count,
        "review": review_of(predictions).review_rate,
        "any label": share(sum(any(of.says(label) for label in labels) for of in predictions), count),
        **{label: sum(bool(of.says(label)) for of in predictions) / count for label in labels},
        "language unknown": sum(LANG_UNSUPPORTED in of.flags for of in predictions) / count,
    }


SUITE = Suite(
    name="traffic",
    about="Tweets of eight languages that were collected for other reasons than abuse. Nobody judged them and most are "
    "benign: what goes to a person here is close to what everyday traffic would cost. A few are rightly flagged.",
    read=read,
    labels=(),
    groups=("lang", "dataset"),
    own=own,
)
